import { parseImage, type ImageName } from './behaviour';

/** Names that resolve nowhere in the world (RFC 2606 section 2, RFC 6761 section 6). */
const reservedHost = /\.(?:invalid|test|example)(?::\d+)?$/;

/** Docker Hub's official images (docker-library/official-images, folder `library`): without a namespace there are no others. */
const officialImages = new Set(
  `adminer aerospike almalinux alpine alt amazoncorretto amazonlinux api-firewall arangodb archlinux backdrop bash bonita buildpack-deps busybox caddy cassandra chronograf
  cirros clearlinux clefos clickhouse clojure composer convertigo couchbase couchdb crate dart debian docker drupal eclipse-mosquitto eclipse-temurin eggdrop elasticsearch
  elixir emqx erlang fedora flink fluentd gazebo gcc geonetwork ghost golang gradle groovy haproxy haskell haxe hello-world hitch httpd hylang ibm-semeru-runtimes ibmjava
  influxdb irssi jetty joomla jruby julia kapacitor kibana kong krakend lightstreamer liquibase logstash mageia mariadb matomo maven mediawiki memcached mongo mongo-express
  monica mono mysql nats nats-streaming neo4j neurodebian nextcloud nginx node notary odoo open-liberty openjdk oraclelinux orientdb percona perl photon php php-zendserver
  phpmyadmin plone postfixadmin postgres pypy python r-base rabbitmq rakudo-star redis redmine registry rethinkdb rocket.chat rockylinux ros ruby rust sapmachine satosa scratch
  silverpeas sl solr sonarqube spark spiped storm swift swipl teamspeak telegraf tomcat tomee traefik ubuntu unit varnish vault websphere-liberty wordpress xwiki yourls znc zookeeper`.split(/\s+/),
);

/** What parts of tags of public images are when they hold no digit: channels, distributions, flavours. */
const tagWords = new Set(
  `latest stable mainline main master edge beta dev nightly canary unstable testing lts current rolling release rc alpha alpine slim bookworm bullseye buster trixie sid jammy noble
  focal debian ubuntu fedora ubi perl otel unprivileged fpm apache cli zts management tls cuda gpu rocm cpu distroless nonroot debug glibc musl uclibc java jre jdk community
  enterprise oss ha full minimal hardened core server standard bin binary amd64 arm64 linux windows windowsservercore nanoserver`.split(/\s+/),
);
const publicRegistries = new Set(['docker.io', 'quay.io', 'ghcr.io', 'registry.k8s.io']);

/**
 * Why an image cannot be pulled, in containerd's words (containerd 1.7 and 2.0 `client/pull.go`, `core/remotes/docker`;
 * the prefix is gRPC's); undefined where nothing speaks against it. Only what names say for certain counts: hosts that never
 * resolve, misspelt official images, and tags of `known` public images that look like none. An image of one's own may have
 * been brought to the nodes otherwise.
 */
export function pullRefusal(image: string, known: boolean): string | undefined {
  const name = parseImage(image);
  if (!name) return undefined;
  const { full, path } = fullName(name);
  const failed = (code: string, why: string) => `rpc error: code = ${code} desc = failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${why}`;
  if (reservedHost.test(name.registry)) {
    const host = name.registry.replace(/:\d+$/, '');
    return failed('Unknown', `failed to do request: Head "https://${name.registry}/v2/${path}/manifests/${name.tag || name.digest}": dial tcp: lookup ${host} on 10.20.0.1:53: no such host`);
  }
  if (path.startsWith('library/') && name.registry === 'docker.io' && !known && isMisspelt(name.repository)) {
    return failed('Unknown', 'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed');
  }
  return known && publicRegistries.has(name.registry) && name.tag && !isTag(name.tag) ? failed('NotFound', `${full}: not found`) : undefined;
}

/** Nearly the name of an official image: one letter too many, too few or wrong, or two that changed places. */
function isMisspelt(repository: string): boolean {
  return !officialImages.has(repository) && repository.length >= 4 && [...officialImages].some((name) => isNear(repository, name));
}

function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const [restA, restB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return Math.max(restA.length, restB.length) <= 1 || (restA.length === 2 && restB.length === 2 && restA[0] === restB[1] && restA[1] === restB[0]);
}

function isTag(tag: string): boolean {
  return tag.split(/[-_]/).every((part) => /\d/.test(part) || tagWords.has(part.toLowerCase()));
}

/** The reference with its registry and, on Docker Hub, `library/`, as containerd writes it. */
function fullName({ registry, repository, tag, digest }: ImageName): { full: string; path: string } {
  const path = registry === 'docker.io' && !repository.includes('/') ? `library/${repository}` : repository;
  return { path, full: `${registry}/${path}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}` };
}
