import type { ClientContext } from '../controller';
import { kinds } from '../kinds';
import { withCondition } from '../pod-state';
import { writeStatus } from '../status-patch';
import type { Pod } from '../types';
import { remove } from './pod-control';

/** Why the control plane ends a pod. */
export interface Disruption {
  reason: string;
  message: string;
}

/** Notes in the pod's status why it goes, then deletes it; `lost` where nobody is left to say how it ended. */
export async function endDisrupted(context: ClientContext, pod: Pod, disruption: Disruption | undefined, lost = false): Promise<void> {
  const conditions = disruption ? withCondition(pod.status?.conditions, { type: 'DisruptionTarget', status: 'True', ...disruption }, context.clock) : pod.status?.conditions;
  const noted = await writeStatus(context, kinds.pods, pod, { ...pod.status, conditions, ...(lost ? { phase: 'Failed' } : {}) });
  await remove(context, kinds.pods, noted, lost ? { gracePeriodSeconds: 0 } : {});
}
