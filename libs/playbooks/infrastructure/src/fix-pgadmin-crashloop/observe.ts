import { collectFacts, type Facts as ClusterFacts } from '@larry/diagnosis';
import type { ClusterReader, KindInfo } from '@larry/kube';
import type { PlaybookContext } from '@larry/playbook';
import { changedBy, pgadminsOf, type Facts } from './facts';
import type { Options } from './options';

const settleEveryMs = 2000;

/** Reads what `larry diagnose` reads, once no PgAdmin is just starting: a crash loop shows only after the first crash. Decides nothing else. */
export async function observe(context: PlaybookContext<Options>): Promise<Facts> {
  context.progress(5, 'reading the cluster');
  const first = await look(context);
  const cluster = first.source.type === 'live' && (await settle(context, first)) ? await look(context) : first;
  const changed: Facts['changed'] = [];
  // A mark is anybody's who may write the object: only what our own records know of keeps other repairs away.
  for (const marked of changedBy(context.run, context.task, cluster)) if (await context.isOurs?.(marked.step)) changed.push(marked);
  return { cluster, changed };
}

/** Which kinds a cluster has, as the last look at the whole of it found them: asking is most of what a look at one namespace costs. */
const kindsOf = new WeakMap<ClusterReader, Promise<KindInfo[]>>();

/** One look at the cluster, or at one namespace of it. */
export function look(context: PlaybookContext<Options>, namespace?: string): Promise<ClusterFacts> {
  const { cluster, signal } = context;
  const kinds = (namespace === undefined ? undefined : kindsOf.get(cluster)) ?? cluster.kinds();
  kindsOf.set(cluster, kinds);
  const reader = Object.create(cluster, { kinds: { value: () => kinds } }) as ClusterReader;
  return collectFacts(reader, { now: () => context.now(), signal, ...(namespace === undefined ? {} : { namespace, alone: true }) });
}

/** Waits while a PgAdmin is just starting, or until the time for it is over. Returns whether anything may be new. */
async function settle(context: PlaybookContext<Options>, first: ClusterFacts): Promise<boolean> {
  let starting = startingIn(first);
  const waited = starting.length > 0;
  for (let leftMs = context.options.settleSeconds * 1000; starting.length > 0 && leftMs > 0; ) {
    context.signal.throwIfAborted();
    context.progress(8, 'waiting for PgAdmin, which is just starting');
    const before = context.now().getTime();
    await context.wait(Math.min(settleEveryMs, leftMs));
    // Where nobody waits, time stands still and nothing will be new.
    const waitedMs = context.now().getTime() - before;
    leftMs = waitedMs < Math.min(settleEveryMs, leftMs) / 4 ? 0 : leftMs - waitedMs;
    const looks: string[] = [];
    for (const namespace of starting) looks.push(...startingIn(await look(context, namespace)).filter((n) => n === namespace));
    starting = looks;
  }
  return waited;
}

/** The namespaces in which a PgAdmin is just starting. */
function startingIn(cluster: ClusterFacts): string[] {
  return [...new Set(pgadminsOf(cluster).filter((w) => w.state === 'starting').map((w) => w.namespace))];
}
