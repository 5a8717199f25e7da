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
  /** Kills the broker; its data stay until {@link remove}. */
  kill(): Promise<void>;
  /** Starts it again over its data, on the same port. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Starts a real broker over the jars of {@link kafkaJars}.
 * @param extra lines for its `server.properties`
 */
export async function startKafkaBroker(jars: string, extra: readonly string[] = []): Promise<KafkaBroker> {
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-kafka-'));
  const [port, controller] = [await freePort(), await freePort()];
  const config = path.join(folder, 'server.properties');
  writeFileSync(config, [...properties(port, controller, folder), ...extra].join('\n'));
  const java = (main: string, ...args: string[]) => ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`, main, ...args];
  const formatted = spawnSync('java', java('kafka.tools.StorageTool', 'format', '-t', 'AAAAAAAAAAAAAAAAAAAAAA', '-c', config), { stdio: 'ignore' });
  if (formatted.status !== 0) throw new Error(`the folder for Kafka's data at ${folder} could not be formatted`);
  let running: Awaited<ReturnType<typeof leashed>> | undefined;
  const broker: KafkaBroker = {
    address: `127.0.0.1:${port}`,
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
