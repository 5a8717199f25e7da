import { eventually, freePort, leashed } from '@larry/redis/testing';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';

/** The release that is tested against; 3.9 runs on Java 17 with KRaft, without ZooKeeper. */
const version = '3.9.1';

/** An Apache Kafka broker in KRaft mode, on loopback, in a folder of its own. */
export interface KafkaBroker {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Of the listener with TLS and SASL, where one was asked for. */
  readonly securedAddress: string;
  /** Kills the broker; its data stay until {@link remove}. */
  kill(): Promise<void>;
  /** Starts it again over its data, on the same port. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** Who may use a broker, and how it shows who it is. */
export interface KafkaSecurity {
  /** PEM: the private key (PKCS #8) and the certificate of 127.0.0.1. */
  readonly keystore: string;
  /** PEM: the authority that signed it. */
  readonly ca: string;
  readonly user: string;
  readonly password: string;
}

/**
 * Starts a real broker over the jars of {@link kafkaJars}.
 * @param secured a second listener, with TLS and SASL (PLAIN and SCRAM-SHA-512)
 */
export async function startKafkaBroker(jars: string, secured?: KafkaSecurity): Promise<KafkaBroker> {
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-kafka-'));
  const [port, controller, securedPort] = [await freePort(), await freePort(), await freePort()];
  const config = path.join(folder, 'server.properties');
  writeFileSync(config, [...properties(port, controller, folder), ...(secured ? securedProperties({ plain: port, controller, secured: securedPort }, folder, secured) : [])].join('\n'));
  const java = (main: string, ...args: string[]) => ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`, main, ...args];
  const formatted = spawnSync('java', java('kafka.tools.StorageTool', 'format', '-t', 'AAAAAAAAAAAAAAAAAAAAAA', '-c', config, ...(secured ? ['--add-scram', `SCRAM-SHA-512=[name=${secured.user},password=${secured.password}]`] : [])), { stdio: 'ignore' });
  if (formatted.status !== 0) throw new Error(`the folder for Kafka's data at ${folder} could not be formatted`);
  let running: Awaited<ReturnType<typeof leashed>> | undefined;
  const broker: KafkaBroker = {
    address: `127.0.0.1:${port}`,
    securedAddress: `127.0.0.1:${securedPort}`,
    kill: async () => running?.stop(),
    start: async () => {
      running = await leashed('java', java('kafka.Kafka', config));
      await eventually(() => reachable(port), 60_000);
    },
    remove: async () => {
      await running?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await broker.start();
  return broker;
}

function properties(port: number, controller: number, folder: string): string[] {
  return [
    'process.roles=broker,controller', 'node.id=1', `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`, `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER', 'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT', 'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${path.join(folder, 'data')}`, 'num.partitions=3', 'offsets.topic.num.partitions=1', 'group.initial.rebalance.delay.ms=0',
    'offsets.topic.replication.factor=1', 'transaction.state.log.replication.factor=1', 'transaction.state.log.min.isr=1',
  ]; // prettier-ignore
}

/** A second listener; these lines come last and win. */
function securedProperties(ports: Record<'plain' | 'controller' | 'secured', number>, folder: string, { keystore, ca, user, password }: KafkaSecurity): string[] {
  const [keys, authorities] = [path.join(folder, 'keystore.pem'), path.join(folder, 'ca.pem')];
  writeFileSync(keys, keystore, { mode: 0o600 });
  writeFileSync(authorities, ca);
  const clients = `PLAINTEXT://127.0.0.1:${ports.plain},SASL_SSL://127.0.0.1:${ports.secured}`;
  return [
    `listeners=${clients},CONTROLLER://127.0.0.1:${ports.controller}`, `advertised.listeners=${clients}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
    'ssl.keystore.type=PEM', `ssl.keystore.location=${keys}`, 'ssl.truststore.type=PEM', `ssl.truststore.location=${authorities}`,
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512',
    `listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`,
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;',
  ]; // prettier-ignore
}

/**
 * The folder of the broker's jars: from Maven Central into a cache in the home folder the first time (46 MB). `undefined`
 * where there is no JDK or no Maven, or Maven cannot reach its repository.
 */
export function kafkaJars(): string | undefined {
  const cache = path.join(homedir(), '.cache', 'larry', `kafka-${version}`);
  if (existsSync(cache)) return cache;
  if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0) return undefined;
  mkdirSync(path.dirname(cache), { recursive: true });
  const fresh = mkdtempSync(`${cache}-`);
  const pom = path.join(fresh, 'pom.xml');
  writeFileSync(
    pom,
    `<project><modelVersion>4.0.0</modelVersion><groupId>dev.larry</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
    <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency></dependencies></project>`,
  );
  const fetched = spawnSync('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fresh}`, '-DincludeScope=runtime'], { stdio: 'ignore', timeout: 240_000 });
  try {
    if (fetched.status === 0 && !existsSync(cache)) renameSync(fresh, cache);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return existsSync(cache) ? cache : undefined;
}

function reachable(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
