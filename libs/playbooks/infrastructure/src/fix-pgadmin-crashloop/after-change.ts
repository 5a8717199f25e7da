import { describeRef, listOf, printable, valueIn, type ObjectRef } from '@larry/contracts';
import { diagnose as diagnoseCluster, type DiagnosisFinding, type Facts as ClusterFacts } from '@larry/diagnosis';
import type { PlaybookContext } from '@larry/playbook';
import { wishesOf } from './diagnose';
import { hiddenFault, saysLittle } from './hidden-fault';
import { look } from './observe';
import type { Options } from './options';

/** A changed object, and the cause that the change was to mend. */
export interface Repaired {
  target: ObjectRef;
  /** Undefined where an earlier attempt of another version made it. */
  cause: string | undefined;
}

/** Looks at what is around a changed object as if nothing were known of it. Returns why it is not mended; undefined when it is. */
export async function stillUnwell(context: PlaybookContext<Options>, repaired: Repaired, before?: ClusterFacts): Promise<string | undefined> {
  const { target } = repaired;
  const cluster = await look(context, target.namespace);
  const found = diagnoseCluster(cluster, wishesOf(context.options)).findings.filter((f) => isAbout(f, target));
  const same = found.find((f) => f.cause === repaired.cause);
  if (same) return printable(`the cause is still there: ${same.cause}, ${same.title}`, 400);
  const known = before === undefined ? [] : diagnoseCluster(before, wishesOf(context.options)).findings.filter((f) => isAbout(f, target)).map((f) => f.cause);
  const other = found.find((f) => !known.includes(f.cause));
  if (other) return printable(`it is unwell for another reason now: ${other.cause}, ${other.title}`, 400);
  if (target.kind === 'Service') return withoutEndpoints(cluster, target);
  const workload = cluster.workloadAt.get(describeRef(target));
  if (workload === undefined || workload.state !== 'running') return workload === undefined ? undefined : printable(`it is ${workload.state}: ${workload.ready} of ${workload.desired} ready`, 400);
  const unserved = cluster.objects.list('Service', target.namespace).find((s) => selects(valueIn(s, 'spec', 'selector'), workload.labels) && withoutEndpoints(cluster, { apiVersion: 'v1', kind: 'Service', namespace: target.namespace ?? '', name: s.metadata.name }) !== undefined);
  return unserved === undefined ? undefined : printable(`Service ${unserved.metadata.namespace ?? ''}/${unserved.metadata.name}, which leads to it, has no ready endpoint`, 400);
}

/** The fault of an object that its changes have uncovered; or why there is none, and whether anything close is `named` so far. */
export async function uncovered(context: PlaybookContext<Options>, target: ObjectRef, made: readonly { step: string }[]): Promise<{ fault: DiagnosisFinding } | { none: string; named: boolean }> {
  const found = diagnoseCluster(await look(context, target.namespace), wishesOf(context.options)).findings.filter((f) => isAbout(f, target));
  const hidden = hiddenFault(made, found);
  return 'fault' in hidden ? hidden : { ...hidden, named: found.some((f) => !saysLittle(f.cause)) };
}

const isAbout = (finding: DiagnosisFinding, { kind, namespace = '', name }: ObjectRef): boolean => finding.kind === kind && finding.namespace === namespace && finding.name === name;

/** EndpointSlices are what a Service's traffic goes by; where they cannot be read nothing is claimed. */
function withoutEndpoints({ objects }: ClusterFacts, service: ObjectRef): string | undefined {
  if (!objects.knows('EndpointSlice')) return undefined;
  const slices = objects.list('EndpointSlice', service.namespace).filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === service.name);
  const ready = slices.some((slice) => listOf(slice['endpoints']).some((e) => valueIn(e, 'conditions', 'ready') !== false));
  return ready ? undefined : `${describeRef(service)} has no ready endpoint`;
}

function selects(selector: unknown, labels: Record<string, string>): boolean {
  const entries = typeof selector === 'object' && selector !== null ? Object.entries(selector) : [];
  return entries.length > 0 && entries.every(([label, value]) => labels[label] === value);
}
