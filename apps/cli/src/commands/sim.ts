import { printable, type KubeObject } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { startSimulatedCluster } from '@larry/simulation';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openSource } from '../sources';

/** Its built programs are what pods of our images run. */
const repository = path.join(__dirname, '..', '..', '..', '..');

/** What somebody's manifests make may never come to rest: it is served all the same. */
const settleMs = 30_000;

interface SimOptions {
  port: number;
  manifests?: string;
  snapshot?: string;
  dump?: string;
  speed: number;
  kubeconfig: string;
  /** Pods of our own images run as processes: asked for, or (undefined) where nobody else's manifests are loaded. */
  programs?: boolean;
}

/** `larry sim up`: serves a simulated cluster until it is told to stop. */
export async function simUp(options: SimOptions): Promise<void> {
  const source = await sourceOf(options);
  const objects = source ? await everyObject(source.reader) : undefined;
  const programs = options.programs ?? !source;
  const cluster = await startSimulatedCluster({
    port: options.port,
    ...(programs && !source?.frozen ? { programs: { root: repository } } : {}),
    speed: options.speed,
    ...(objects ? { objects } : {}),
    ...(source?.frozen ? { frozen: true } : {}),
  });
  const unrest = source?.frozen ? undefined : await cluster.settled(settleMs).then(() => undefined, (error: Error) => error.message);
  writePrivate(options.kubeconfig, cluster.kubeconfig);
  const ready = { url: cluster.url, kubeconfig: path.resolve(options.kubeconfig), pid: process.pid };
  if (process.env['LARRY_READY_FILE']) writePrivate(process.env['LARRY_READY_FILE'], JSON.stringify(ready));
  process.stdout.write(
    [
      `SIMULATED cluster at ${cluster.url}: ${cluster.loaded.loaded} objects loaded${source?.frozen ? ', frozen (read-only, no controllers)' : ''}.`,
      ...cluster.loaded.skipped.slice(0, 20).map((s) => printable(`not loaded: ${s.what}: ${s.reason}`, 500)),
      `  export KUBECONFIG=${ready.kubeconfig}`,
      '  kubectl get pods -A',
      ...(unrest ? [`It is served before it has come to rest (${unrest}): some of its pods start, wait or fail for longer.`] : []),
      ...(programs && !source?.frozen ? ['Pods whose image is larry-01, larry-02, larry-03 or meta-coordinator run as processes of this machine.'] : []),
      'Ctrl-C ends it; everything in it is gone then.',
      '',
    ].join('\n'),
  );
  await untilTold();
  await cluster.close();
}

async function sourceOf({ manifests, snapshot, dump }: SimOptions): Promise<{ reader: ClusterReader; frozen: boolean } | undefined> {
  if (manifests) return { reader: await openSource({ manifests }), frozen: false };
  if (snapshot) return { reader: await openSource({ snapshot }), frozen: true };
  if (dump) return { reader: await openSource({ dump }), frozen: true };
  return undefined;
}

/** Everything that the source can list. */
async function everyObject(reader: ClusterReader): Promise<KubeObject[]> {
  const objects: KubeObject[] = [];
  for (const kind of await reader.kinds()) {
    if (kind.availability.state !== 'listed') continue;
    for await (const object of reader.list(kind)) objects.push(object);
  }
  return objects;
}

function writePrivate(file: string, text: string): void {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}

/** Ctrl-C, SIGTERM, or, with `LARRY_LEASH=1`, the end of standard input: the process that started this one is gone. */
async function untilTold(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    if (process.env['LARRY_LEASH'] === '1') process.stdin.once('end', () => resolve()).once('error', () => resolve()).resume();
  });
  // An open leash would keep this process, and who told it to stop would wait for it.
  if (process.env['LARRY_LEASH'] === '1') process.stdin.destroy();
}
