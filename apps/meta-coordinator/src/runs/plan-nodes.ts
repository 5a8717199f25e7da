import { printable, type Plan } from '@larry/contracts';
import { UnknownKindError, type ClusterReader } from '@larry/kube';

/** The nodes that a plan speaks of and the cluster does not have, as a sentence that says what to do; undefined when all are there or nobody can tell. */
export async function missingNodes(plan: Plan, cluster: ClusterReader, launcher: 'process' | 'job' = 'process'): Promise<string | undefined> {
  if (cluster.source.type !== 'live') return undefined;
  const there = new Set<string>();
  try {
    for await (const node of cluster.list({ apiVersion: 'v1', kind: 'Node' })) there.add(node.metadata.name);
  } catch (error) {
    if (error instanceof UnknownKindError) return undefined;
    throw error;
  }
  const planned = [...plan.nodes.masters, ...plan.nodes.workers];
  const missing = planned.filter((name) => !there.has(name));
  if (missing.length === 0) return undefined;
  const which = missing.length === planned.length ? "none of the plan's nodes is" : `the plan's nodes ${missing.join(', ')} are not`;
  const known = there.size === 0 ? '' : ` (there are ${[...there].sort().slice(0, 8).map((name) => printable(name, 100)).join(', ')}${there.size > 8 ? ' …' : ''})`;
  const follows = launcher === 'job' ? 'their workers run elsewhere, or not at all where the affinity is required; correct nodes in the plan' : 'workers run as local processes, planned for them';
  return `${which} among the nodes of ${cluster.source.name}${known}; ${follows}`;
}
