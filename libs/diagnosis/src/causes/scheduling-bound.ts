import { listOf, printable, refOf, valueIn, type Evidence, type KubeObject } from '@larry/contracts';
import type { Case } from './cause';
import { seen } from './evidence';
import { boundVolumes, hostPortHolder, matchesAffinity, type NodeFit } from './node-fit';

/** What binds a pod to certain nodes: the ports of a node that others have, and volumes that lie on one. */

/** Who has the port of the node that a workload asks for. */
export function hostPortTitle({ scene, workload, pod }: Case, nodes: NodeFit[]): string {
  const held = nodes.map(({ node }) => hostPortHolder(scene.facts, node.metadata.name, pod)).find((h) => h !== undefined);
  return held ? `the nodes' port ${held.port}, which ${workload.name} asks for, is taken by pod ${held.holder.namespace}/${held.holder.name}` : `${workload.name} asks for a port of the node that is taken on every node`;
}

/** The pods that have it. */
export function hostPortEvidence({ scene, pod }: Case, nodes: NodeFit[]): Evidence[] {
  const held = nodes.flatMap(({ node }) => hostPortHolder(scene.facts, node.metadata.name, pod) ?? []);
  return held.slice(0, 2).map(({ holder, port }) => seen(holder.ref, '.spec.containers[].ports[].hostPort', `${port} on node ${holder.node ?? ''}`));
}

/** Which volume a workload cannot reach, and where that lies. */
export function volumeTitle(one: Case, nodes: NodeFit[]): string {
  const { name } = one.workload;
  const volumes = pinned(one);
  const away = volumes.find((volume) => nodes.every(({ node }) => !liesOn(volume, node)));
  const volume = away ?? volumes[0];
  if (!volume) return `no node that ${name} may go to has its volume`;
  const place = `${name} needs volume ${volume.metadata.name}, which lies on ${printable(placeOf(volume), 200)}`;
  return away ? `${place}: no node that ${name} may go to is that` : `${place}: that node takes no pods now`;
}

/** The node affinity of the volumes. */
export function volumeEvidence(one: Case): Evidence[] {
  return pinned(one).slice(0, 2).map((volume) => seen(refOf(volume), '.spec.nodeAffinity', placeOf(volume)));
}

/** Why nobody but a person mends it. */
export function volumeRemedy(one: Case): string {
  const name = pinned(one)[0]?.metadata.name ?? 'the volume';
  return `let it go to where ${name} lies (its nodeSelector, affinity or tolerations decide), bring that node back, or restore the data into a new claim: what lies on a node's disk does not move by itself`;
}

/** A volume whose node is not in the cluster any more is at fault itself: its data are gone with the node, or come back with it. */
export function orphanedVolume(one: Case): KubeObject | undefined {
  const { objects } = one.scene.facts;
  if (!objects.knows('Node')) return undefined;
  return pinned(one).find((volume) => !objects.list('Node').some((node) => liesOn(volume, node)));
}

function pinned({ scene, pod }: Case): KubeObject[] {
  return boundVolumes(scene.facts, pod).filter((volume) => affinityOf(volume) !== undefined);
}

const affinityOf = (volume: KubeObject): unknown => valueIn(volume, 'spec', 'nodeAffinity', 'required');
const liesOn = (volume: KubeObject, node: KubeObject): boolean => matchesAffinity(node, affinityOf(volume));

/** Where a volume lies, in the words of its node affinity. */
function placeOf(volume: KubeObject): string {
  const expressions = listOf(valueIn(affinityOf(volume), 'nodeSelectorTerms')).flatMap((term) => [...listOf(valueIn(term, 'matchExpressions')), ...listOf(valueIn(term, 'matchFields'))]);
  return expressions.map((e) => `${String(valueIn(e, 'key'))} ${String(valueIn(e, 'operator'))} ${listOf(valueIn(e, 'values')).join(', ')}`).join(' and ') || 'another node';
}
