import type { Column } from './columns-shared';
import { AGE, NAME, col, since, wide } from './columns-shared';
import type { Fields, KubeObject } from './kube-object';
import { at, list, text } from './kube-object';

const statuses = (pod: KubeObject, field: string): Fields[] => list(at(pod, 'status', field));
const terminated = (status: Fields) => at(status, 'state', 'terminated') as Fields | undefined;
const waitingReason = (status: Fields) => text(at(status, 'state', 'waiting', 'reason'));

function endReason(end: Fields): string {
  if (text(end['reason'])) return text(end['reason']);
  return end['signal'] ? `Signal:${String(end['signal'])}` : `ExitCode:${String(end['exitCode'] ?? 0)}`;
}

const restartable = (pod: KubeObject, name: unknown) =>
  list(at(pod, 'spec', 'initContainers')).some((c) => c['name'] === name && c['restartPolicy'] === 'Always');

/** `Init:1/2`, `Init:Error`, …; undefined when the init containers are done. */
function initReason(pod: KubeObject): string | undefined {
  const all = list(at(pod, 'spec', 'initContainers'));
  const states = statuses(pod, 'initContainerStatuses');
  for (const [i, status] of states.entries()) {
    const end = terminated(status);
    if (end && Number(end['exitCode'] ?? 0) === 0) continue;
    if (restartable(pod, status['name']) && status['started'] === true) continue;
    if (end) return `Init:${endReason(end)}`;
    const waiting = waitingReason(status);
    return waiting && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${i}/${all.length}`;
  }
  return undefined;
}

/** The STATUS column: the phase, or what a container waits for or ended with. */
export function podReason(pod: KubeObject): string {
  const own = text(at(pod, 'status', 'reason'));
  let reason = own || text(at(pod, 'status', 'phase')) || 'Unknown';
  const gated = list(at(pod, 'status', 'conditions')).some((c) => c['type'] === 'PodScheduled' && c['reason'] === 'SchedulingGated');
  if (gated) reason = 'SchedulingGated';
  const init = initReason(pod);
  if (init !== undefined) reason = init;
  else reason = mainReason(pod, reason);
  if (!pod.metadata.deletionTimestamp) return reason;
  const phase = at(pod, 'status', 'phase');
  if (own === 'NodeLost') return 'Unknown';
  return phase === 'Succeeded' || phase === 'Failed' ? reason : 'Terminating';
}

function mainReason(pod: KubeObject, start: string): string {
  let reason = start;
  let running = false;
  for (const status of statuses(pod, 'containerStatuses').reverse()) {
    const end = terminated(status);
    if (waitingReason(status)) reason = waitingReason(status);
    else if (end) reason = endReason(end);
    else if (status['ready'] === true && at(status, 'state', 'running')) running = true;
  }
  if (reason !== 'Completed' || !running) return reason;
  const ready = list(at(pod, 'status', 'conditions')).some((c) => c['type'] === 'Ready' && c['status'] === 'True');
  return ready ? 'Running' : 'NotReady';
}

function readiness(pod: KubeObject): string {
  const sidecars = list(at(pod, 'spec', 'initContainers')).filter((c) => c['restartPolicy'] === 'Always').length;
  const ready = statuses(pod, 'containerStatuses').filter((s) => s['ready'] === true && at(s, 'state', 'running')).length;
  const readySidecars = statuses(pod, 'initContainerStatuses').filter((s) => restartable(pod, s['name']) && s['ready'] === true).length;
  return `${ready + readySidecars}/${list(at(pod, 'spec', 'containers')).length + sidecars}`;
}

function restarts(pod: KubeObject, now: Date): string {
  const init = initReason(pod) !== undefined;
  const counted = init ? statuses(pod, 'initContainerStatuses') : [...statuses(pod, 'containerStatuses'), ...statuses(pod, 'initContainerStatuses').filter((s) => restartable(pod, s['name']))];
  const total = counted.reduce((sum, s) => sum + Number(s['restartCount'] ?? 0), 0);
  const last = counted.map((s) => text(at(s, 'lastState', 'terminated', 'finishedAt'))).filter(Boolean).sort().at(-1);
  return total > 0 && last ? `${total} (${since(last, now)} ago)` : String(total);
}

function gates(pod: KubeObject): string {
  const all = list(at(pod, 'spec', 'readinessGates'));
  if (all.length === 0) return '<none>';
  const met = all.filter((g) => list(at(pod, 'status', 'conditions')).some((c) => c['type'] === g['conditionType'] && c['status'] === 'True'));
  return `${met.length}/${all.length}`;
}

export const POD_COLUMNS: Record<string, Column[]> = {
  '/pods': [
    NAME,
    col('Ready', readiness, { description: 'Ready containers of all containers.' }),
    col('Status', podReason, { description: 'What the containers together are doing.' }),
    col('Restarts', restarts, { description: 'How often containers restarted, and when last.' }),
    AGE,
    wide('IP', (o) => text(at(o, 'status', 'podIP')) || '<none>'),
    wide('Node', (o) => text(at(o, 'spec', 'nodeName')) || '<none>'),
    wide('Nominated Node', (o) => text(at(o, 'status', 'nominatedNodeName')) || '<none>'),
    wide('Readiness Gates', gates),
  ],
};
