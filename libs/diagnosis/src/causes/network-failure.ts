/** A line of a log that says that something could not be reached. */
export interface NetworkFailure {
  kind: 'dns' | 'refused' | 'timeout' | 'unreachable';
  host?: string;
  port?: number;
}

const name = String.raw`[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?`;

/** Words of resolvers: Go, glibc, musl, Node, Java, Python, libpq, .NET. The first group is the host where they say it. */
const dns: readonly RegExp[] = [
  new RegExp(String.raw`lookup (${name})\.?(?: on [^:]+(?::\d+)?)?: (?:no such host|server misbehaving|Temporary failure|i\/o timeout|read udp.*i\/o timeout)`, 'i'),
  new RegExp(String.raw`getaddrinfo (?:ENOTFOUND|EAI_AGAIN)\s+(${name})`, 'i'),
  new RegExp(String.raw`UnknownHostException:?\s+(${name})`, 'i'),
  new RegExp(String.raw`could not translate host name "(${name})"`, 'i'),
  new RegExp(String.raw`(?:Unknown MySQL server host|Unknown server host|host not found in upstream|could not be resolved|Could not resolve host|unable to resolve host(?: address)?|bad address|No address associated with hostname|Name or service not known)[:\s]*['"(]*(${name})?`, 'i'),
  new RegExp(String.raw`['"]?(${name})['"]?(?::\d+)?[:,]?\s*(?:\(?\d*:? ?host not found|could not be resolved|Name (?:or service not known|does not resolve)|Temporary failure in name resolution)`, 'i'),
  /(?:Name or service not known|Temporary failure in name resolution|nodename nor servname|no such host|NXDOMAIN|Name does not resolve|gaierror)()/i,
];

const refused = /connection refused|ECONNREFUSED|\brefused\b.*connect|connect(?:ion)? (?:to|with) .* refused|Connection refused|\(111\)|errno 111|actively refused/i;
const timeout = /i\/o timeout|ETIMEDOUT|connection timed out|connect(?:ion)? timeout|timed out|context deadline exceeded|Operation timed out|SocketTimeoutException|deadline exceeded|\(110\)|errno 110/i;
const unreachable = /no route to host|EHOSTUNREACH|ENETUNREACH|network is unreachable|upstream connect error|no healthy upstream|Communications link failure|503 Service Unavailable|connection reset by peer|code = Unavailable/i;

/** Places of host and port in such lines, the most telling first. */
const places: readonly RegExp[] = [
  new RegExp(String.raw`server at "(${name})"(?: \([^)]*\))?, port (\d{2,5})`, 'i'),
  new RegExp(String.raw`running on host "(${name})"(?: \([^)]*\))? and accepting\s+TCP\/IP connections on port (\d{2,5})`, 'i'),
  new RegExp(String.raw`MySQL server on '(${name})(?::(\d{2,5}))?'`, 'i'),
  new RegExp(String.raw`(?:dial|connect|Connect(?:ion|ing)?)\s+(?:to\s+)?(?:tcp\s+|ECONNREFUSED\s+|ETIMEDOUT\s+|EHOSTUNREACH\s+)?['"]?(?:[a-z]+:\/\/)?(?:[^@\s/]+@)?(${name}):(\d{2,5})`, 'i'),
  new RegExp(String.raw`(?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH)\s+(${name}):(\d{2,5})`),
  new RegExp(String.raw`dial tcp (${name}):(\d{2,5})`),
  new RegExp(String.raw`host='(${name})', port=(\d{2,5})`, 'i'),
  new RegExp(String.raw`[a-z+]+:\/\/(?:[^@\s/]*@)?(${name})(?::(\d{2,5}))?`, 'i'),
  new RegExp(String.raw`(?:^|[\s"'(\[/=])(${name}):(\d{2,5})(?=[\s"'),\]/;]|$)`),
];

/** What a line says could not be reached; undefined when it says nothing of the kind. */
export function networkFailureIn(line: string): NetworkFailure | undefined {
  const text = line.slice(0, 2_000);
  for (const pattern of dns) {
    const match = pattern.exec(text);
    if (match) return { kind: 'dns', ...(match[1] && !/^(?:for|in|of|the|to)$/i.test(match[1]) ? { host: match[1].toLowerCase() } : placeIn(text)) };
  }
  const kind = refused.test(text) ? 'refused' : timeout.test(text) ? 'timeout' : unreachable.test(text) ? 'unreachable' : undefined;
  return kind && { kind, ...placeIn(text) };
}

function placeIn(text: string): { host?: string; port?: number } {
  for (const pattern of places) {
    const match = pattern.exec(text);
    const host = match?.[1];
    // `10:53:07` is a time of day, and `main.go:42` a place in a program.
    if (!host || /^\d{1,2}$/.test(host) || /\.(?:go|js|ts|py|java|rb|rs|c|cpp|cs|php|scala|kt|ex|exs|mjs|cjs)$/i.test(host)) continue;
    const port = Number(match[2]);
    return { host: host.toLowerCase(), ...(port > 0 && port < 65_536 ? { port } : {}) };
  }
  const port = Number(/\bport[ =:]+(\d{2,5})\b/i.exec(text)?.[1]);
  return port > 0 && port < 65_536 ? { port } : {};
}
