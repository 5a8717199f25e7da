import { Cluster, type World } from './cluster/cluster';
import { settleIn } from './cluster/noise';
import { quickStartNames } from './cluster/nodes';
import { crashLoop, pullError, unready, unschedulable } from './cluster/trouble';
import { schedulingMessage } from './cluster/scheduler';
import type { Workload } from './cluster/workload';

const podsEach = 10;

/** A cluster of many pods with one workload in fifty in trouble, and about so many events; for measuring time and memory. */
export function bigWorld(pods: number, events: number): World {
  const more = Array.from({ length: Math.ceil(pods / 60) }, (_, i) => `node-${i}`);
  const c = new Cluster(`big ${pods} ${events}`, { kubeadm: false, names: [...quickStartNames, ...more] });
  settleIn(c);
  for (let i = 0; i < pods / podsEach; i += 1) {
    const workload = c.workload({ kind: 'Deployment', namespace: `team-${i % 40}`, name: `app-${i}` }, { replicas: podsEach, ageS: 20 * 86_400, podAgeS: 3000 });
    if (i % 50 === 0) trouble(c, workload, i / 50);
  }
  const healthy = c.workloads.flatMap((workload) => workload.pods).filter(({ status }) => status.phase === 'Running');
  for (let i = c.events.length; i < events; i += 1) {
    const pod = healthy[i % healthy.length];
    if (!pod) break;
    const [reason, message] = [['Pulled', 'Container image already present on machine'], ['Created', 'Created container'], ['Started', 'Started container'], ['Scheduled', 'Successfully assigned']][i % 4] as [string, string];
    c.event(pod, { type: 'Normal', reason, message, lastS: 60 + (i % 3000), count: 1 });
  }
  return c.build();
}

function trouble(c: Cluster, workload: Workload, index: number): void {
  switch (index % 4) {
    case 0:
      return crashLoop(c, workload, { exitCode: 1, log: Array.from({ length: 400 }, (_, i) => `INFO line ${i}`).concat('panic: runtime error: invalid memory address or nil pointer dereference') });
    case 1:
      return pullError(c, workload, 'rpc error: code = NotFound desc = failed to pull and unpack image: not found');
    case 2:
      return unschedulable(c, workload, schedulingMessage(c, 'Insufficient cpu'));
    default:
      return unready(c, workload, 'HTTP probe failed with statuscode: 404');
  }
}
