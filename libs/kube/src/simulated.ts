import type { KubeObject } from '@larry/contracts';

/** The label of every node of a simulated cluster. */
const simulatedLabel = 'larry.dev/simulated';

/** Selects such nodes. */
export const simulatedNodeSelector = `${simulatedLabel}=true`;

/** The ConfigMap that a simulated cluster carries. */
export const simulationMarker = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'larry-simulation' };

/** True for a node that says it is simulated. */
export function isSimulatedNode(object: KubeObject): boolean {
  return object.metadata.labels?.[simulatedLabel] === 'true';
}
