import { verifyAudit } from '@larry/audit';
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import type { StackFile } from '../local/local-stack';
import type { Bundle } from './bundle';

const answerWithinMs = 3000;
/** Of each log, bytes. */
const tailBytes = 256 * 1024;

/** What the state folder holds: logs, the verdict on the audit log. Keys and reports stay where they are. */
export async function stateParts(bundle: Bundle, state: string): Promise<void> {
  const folders = [path.join(state, 'logs'), path.join(state, 'logs', 'workers')].filter((folder) => existsSync(folder));
  const logs = folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.log')).map((name) => path.join(folder, name)));
  if (logs.length === 0) bundle.leaveOut('logs of this machine', `there are none under ${state}`);
  for (const file of logs) await bundle.part(`log ${file}`, () => bundle.text(`logs/${path.relative(path.join(state, 'logs'), file)}`, tailOf(file)));
  const audit = path.join(state, 'audit.jsonl');
  if (existsSync(audit)) await bundle.part('audit log', async () => bundle.json('audit.json', await verifyAudit(audit)));
  else bundle.leaveOut('audit log', `there is none at ${audit}`);
  bundle.leaveOut('records of the audit log', 'they name people and changes; its verdict and its head are here');
  bundle.leaveOut('keys, tokens, kubeconfig', 'they are secrets');
  bundle.leaveOut('reports', 'they describe the cluster; send them with larry report --output if that is wanted');
}

/** Health and metrics of the services that run on this machine. */
export async function serviceParts(bundle: Bundle, state: string, stack: StackFile | undefined, api: { url: string; token?: string } | undefined): Promise<void> {
  const local = (stack?.services ?? []).flatMap(({ name }) => {
    const port = portOf(state, name);
    return port === undefined ? [] : [{ name, url: `http://127.0.0.1:${port}` }];
  });
  const services = local.length > 0 ? local : api ? [{ name: 'meta-coordinator', url: api.url }] : [];
  if (services.length === 0) bundle.leaveOut('health and metrics of services', `no run goes on under ${state}; name a meta-coordinator with --api`);
  for (const { name, url } of services) {
    for (const route of ['healthz', 'readyz', 'metrics']) {
      await bundle.part(`${route} of ${name}`, async () => bundle.text(`services/${name}.${route}.txt`, await answerOf(new URL(`/${route}`, url), api?.token)));
    }
  }
  if (!api) return bundle.leaveOut('status as the API shows it', 'no meta-coordinator is named');
  await bundle.part('status as the API shows it', async () => bundle.json('run/status.json', JSON.parse(await answerOf(new URL('/runs/current', api.url), api.token, true))));
}

async function answerOf(url: URL, token: string | undefined, mustBeFine = false): Promise<string> {
  const response = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {}, signal: AbortSignal.timeout(answerWithinMs) });
  const text = await response.text();
  if (mustBeFine && !response.ok) throw new Error(`${url.pathname} answers ${response.status}`);
  return mustBeFine ? text : `${response.status}\n${text}`;
}

function portOf(state: string, name: string): number | undefined {
  try {
    const { port } = JSON.parse(readFileSync(path.join(state, 'logs', `${name}.ready.json`), 'utf8')) as { port?: unknown };
    return typeof port === 'number' ? port : undefined;
  } catch {
    return undefined;
  }
}

/** The last whole lines of a file. */
function tailOf(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    const read = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString('utf8', 0, read);
    return size > tailBytes ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    closeSync(descriptor);
  }
}
