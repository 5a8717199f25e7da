import { describeAddress, parseRedisUrl } from '@larry/redis';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Bundle } from '../bundle/bundle';
import { clusterParts } from '../bundle/cluster-parts';
import { serviceParts, stateParts } from '../bundle/local-parts';
import { redisParts } from '../bundle/redis-parts';
import { runningStack, type StackFile } from '../local/local-stack';
import { onPath } from '../local/on-path';
import { openRedis } from '../run/open-redis';
import { exitCodes, UserError } from '../user-error';
import { version } from '../version';
import { examine } from './doctor';

interface BundleOptions {
  state: string;
  output?: string;
  run?: string;
  api?: string;
  kubeconfig?: string;
  context?: string;
  json?: boolean;
}

/** `larry support-bundle`: what helps to help, in one file, without secrets. */
export async function supportBundle(options: BundleOptions): Promise<void> {
  const at = new Date();
  const folder = `larry-support-${at.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}`;
  const output = options.output ?? `${folder}.tar.gz`;
  if (existsSync(output)) throw new UserError(`${output} is there already, and is not overwritten; name another file with --output`);
  const stack = runningStack(options.state);
  const bundle = new Bundle(secretsOf(options.state, stack));
  await collect(bundle, options, stack);
  const { archive, files, leftOut } = bundle.archive({ kind: 'larry support bundle', larry: version }, folder, at);
  writeNew(output, archive);
  if (options.json) return void process.stdout.write(`${JSON.stringify({ file: path.resolve(output), bytes: archive.length, files, leftOut }, null, 2)}\n`);
  const reasons = leftOut.map(({ what, why }) => `  left out: ${what}: ${why}`).join('\n');
  process.stdout.write(`Wrote ${output}: ${files.length} files, ${Math.ceil(archive.length / 1024)} KB, readable by you alone.\n${reasons}\nLook into it before you send it: it names services, nodes and namespaces. tar -xzf ${output}\n`);
}

async function collect(bundle: Bundle, options: BundleOptions, stack: StackFile | undefined): Promise<void> {
  const { state } = options;
  const token = process.env['LARRY_TOKEN'];
  const api = options.api ? { url: options.api, ...(token ? { token } : {}) } : stack?.api;
  const kubeconfig = options.kubeconfig ?? stack?.kubeconfig;
  const cluster = { ...(kubeconfig ? { kubeconfig } : {}), ...(options.context ? { context: options.context } : {}) };
  bundle.json('versions.json', { larry: version, node: process.version, platform: `${process.platform} ${process.arch}`, system: os.release(), kubectl: onPath('kubectl') ?? null, helm: onPath('helm') ?? null });
  bundle.json('configuration.json', configuration(stack));
  await bundle.part('doctor', async () => bundle.json('doctor.json', await examine({ state, ...cluster })));
  await bundle.part('everything in Redis', async () => {
    const redis = await openRedis(state);
    await redisParts(bundle, redis, options.run).finally(() => redis.close());
  });
  await serviceParts(bundle, state, stack, api);
  await stateParts(bundle, state);
  await bundle.part('everything in the cluster', () => clusterParts(bundle, cluster));
}

/** Variables whose values are no secret, and say how Larry is set up. Of all others of ours only the name is told. */
const told = /^(?:LARRY_(?:PREFIX|SOURCE|CONTEXT|LAUNCHER|LEASE_TTL_MS|LISTEN|MODES_ALLOWED|NODE_AFFINITY|MAX_WORKERS|NAMESPACE|\w+_MS)|KAFKA_(?:SSL|SASL_MECHANISM|TOPIC_PREFIX)|PORT|LOG_LEVEL|NODE_ENV)$/;
const ofOurs = /^(?:LARRY_|KAFKA_|OTEL_)|^(?:REDIS_URL|KUBECONFIG|PORT|LOG_LEVEL|NODE_ENV)$/;

function configuration(stack: StackFile | undefined): unknown {
  const names = Object.keys(process.env).filter((name) => ofOurs.test(name)).sort();
  const redisUrl = process.env['REDIS_URL'] ?? stack?.redisUrl;
  return {
    environment: Object.fromEntries(names.map((name) => [name, told.test(name) ? process.env[name] : '(set)'])),
    redis: redisUrl === undefined ? null : describeAddress(parseRedisUrl(redisUrl)),
    stack: stack ? { api: stack.api.url, services: stack.services } : null,
  };
}

/** Secrets of Larry's own that this machine knows by their value. */
function secretsOf(state: string, stack: StackFile | undefined): string[] {
  const urls = [process.env['REDIS_URL'], stack?.redisUrl].filter((url) => url !== undefined);
  const ofUrls = urls.flatMap((url) => (URL.canParse(url) ? [decodeURIComponent(new URL(url).password)] : []));
  const ofEnvironment = Object.entries(process.env).flatMap(([name, value]) => (ofOurs.test(name) && /TOKEN|PASSWORD|SECRET|WEBHOOK|HEADERS/.test(name) && value ? [value] : []));
  const keys = path.join(state, 'keys');
  const files = existsSync(keys) ? readdirSync(keys).filter((name) => !name.endsWith('.pub')).map((name) => readFileSync(path.join(keys, name), 'utf8')) : [];
  return [...ofUrls, ...ofEnvironment, ...files, ...(stack?.api.token ? [stack.api.token] : [])];
}

/** A file that was not there before; a half-written one is taken away. */
function writeNew(file: string, content: Buffer): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(code === 'EEXIST' ? `${file} is there already, and is not overwritten; name another file with --output` : `${file} cannot be written: ${message}`);
  }
  try {
    writeFileSync(descriptor, content);
  } catch (error) {
    rmSync(file, { force: true });
    throw new UserError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`, exitCodes.usage);
  } finally {
    closeSync(descriptor);
  }
}
