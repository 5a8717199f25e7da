import type { Column } from './columns-shared';
import { AGE, NAME, col, count, duration, since, templateColumns, wide } from './columns-shared';
import type { KubeObject } from './kube-object';
import { at, list, record, text } from './kube-object';
import { selectorText } from './subresources';

const TEMPLATE = templateColumns('spec', 'template', 'spec');
const selector = wide('Selector', (o) => selectorText(at(o, 'spec', 'selector')) || '<none>');
const replicaSet: Column[] = [NAME, count('Desired', 'spec', 'replicas'), count('Current', 'status', 'replicas'), count('Ready', 'status', 'readyReplicas'), AGE, ...TEMPLATE, selector];
const number = (o: KubeObject, ...path: string[]) => Number(at(o, ...path) ?? 0);

function jobStatus(job: KubeObject): string {
  const holds = (type: string) => list(at(job, 'status', 'conditions')).some((c) => c['type'] === type && c['status'] === 'True');
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp) return 'Terminating';
  if (holds('Suspended')) return 'Suspended';
  if (holds('FailureTarget')) return 'FailureTarget';
  if (holds('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

function completions(job: KubeObject): string {
  const done = number(job, 'status', 'succeeded');
  const wanted = at(job, 'spec', 'completions');
  if (wanted !== undefined) return `${done}/${String(wanted)}`;
  const parallel = number(job, 'spec', 'parallelism');
  return parallel > 1 ? `${done}/1 of ${parallel}` : `${done}/1`;
}

function jobDuration(job: KubeObject, now: Date): string {
  const start = text(at(job, 'status', 'startTime'));
  if (!start) return '';
  const end = text(at(job, 'status', 'completionTime'));
  return duration((end ? Date.parse(end) : now.getTime()) - Date.parse(start));
}

/** `cpu: 12%/50%`, `<unknown>` where nothing was measured. */
function targets(hpa: KubeObject): string {
  const current = list(at(hpa, 'status', 'currentMetrics'));
  const all = list(at(hpa, 'spec', 'metrics')).map((metric, i) => {
    if (metric['type'] !== 'Resource') return `<unknown>/${String(at(metric, text(metric['type']).toLowerCase(), 'target', 'averageValue') ?? at(metric, text(metric['type']).toLowerCase(), 'target', 'value') ?? '<auto>')}`;
    const name = text(at(metric, 'resource', 'name'));
    const percent = at(metric, 'resource', 'target', 'averageUtilization');
    const measured = at(current[i], 'resource', 'current');
    if (percent === undefined) return `${name}: ${String(at(measured, 'averageValue') ?? '<unknown>')}/${String(at(metric, 'resource', 'target', 'averageValue') ?? '<auto>')}`;
    const now = at(measured, 'averageUtilization');
    return `${name}: ${now === undefined ? '<unknown>' : `${String(now)}%`}/${String(percent)}%`;
  });
  if (all.length === 0) return '<none>';
  return all.length > 3 ? `${all.slice(0, 2).join(', ')} + ${all.length - 2} more...` : all.join(', ');
}

export const WORKLOAD_COLUMNS: Record<string, Column[]> = {
  'apps/deployments': [
    NAME, col('Ready', (o) => `${number(o, 'status', 'readyReplicas')}/${number(o, 'spec', 'replicas')}`),
    col('Up-to-date', (o) => number(o, 'status', 'updatedReplicas')), col('Available', (o) => number(o, 'status', 'availableReplicas')), AGE, ...TEMPLATE, selector,
  ],
  'apps/replicasets': replicaSet,
  '/replicationcontrollers': replicaSet,
  'apps/statefulsets': [NAME, col('Ready', (o) => `${number(o, 'status', 'readyReplicas')}/${number(o, 'spec', 'replicas')}`), AGE, ...TEMPLATE],
  'apps/daemonsets': [
    NAME, count('Desired', 'status', 'desiredNumberScheduled'), count('Current', 'status', 'currentNumberScheduled'), count('Ready', 'status', 'numberReady'),
    count('Up-to-date', 'status', 'updatedNumberScheduled'), count('Available', 'status', 'numberAvailable'),
    col('Node Selector', (o) => selectorText(at(o, 'spec', 'template', 'spec', 'nodeSelector')) || '<none>'), AGE, ...TEMPLATE, selector,
  ],
  'batch/jobs': [NAME, col('Status', jobStatus), col('Completions', completions), col('Duration', jobDuration), AGE, ...TEMPLATE, selector],
  'batch/cronjobs': [
    NAME, col('Schedule', (o) => at(o, 'spec', 'schedule')), col('Timezone', (o) => text(at(o, 'spec', 'timeZone')) || '<none>'),
    col('Suspend', (o) => (at(o, 'spec', 'suspend') === true ? 'True' : 'False'), { type: 'boolean' }), col('Active', (o) => list(at(o, 'status', 'active')).length, { type: 'integer' }),
    col('Last Schedule', (o, now) => (at(o, 'status', 'lastScheduleTime') ? since(at(o, 'status', 'lastScheduleTime'), now) : '<none>')), AGE,
    ...templateColumns('spec', 'jobTemplate', 'spec', 'template', 'spec'), wide('Selector', (o) => selectorText(at(o, 'spec', 'jobTemplate', 'spec', 'selector')) || '<none>'),
  ],
  'autoscaling/horizontalpodautoscalers': [
    NAME, col('Reference', (o) => `${text(at(o, 'spec', 'scaleTargetRef', 'kind'))}/${text(at(o, 'spec', 'scaleTargetRef', 'name'))}`), col('Targets', targets),
    col('MinPods', (o) => String(at(o, 'spec', 'minReplicas') ?? '<unset>')), col('MaxPods', (o) => at(o, 'spec', 'maxReplicas')),
    col('Replicas', (o) => number(o, 'status', 'currentReplicas')), AGE,
  ],
  'apps/controllerrevisions': [
    NAME,
    col('Controller', (o) => {
      const owner = (o.metadata.ownerReferences ?? []).find((r) => r.controller);
      return owner ? `${owner.kind.toLowerCase()}.${owner.apiVersion.split('/')[0]}/${owner.name}` : '<none>';
    }),
    col('Revision', (o) => o['revision'] ?? 0), AGE,
  ],
  'policy/poddisruptionbudgets': [
    NAME, col('Min Available', (o) => String(at(o, 'spec', 'minAvailable') ?? 'N/A')), col('Max Unavailable', (o) => String(at(o, 'spec', 'maxUnavailable') ?? 'N/A')),
    count('Allowed Disruptions', 'status', 'disruptionsAllowed'), AGE,
  ],
  '/podtemplates': [NAME, ...[['Containers', 'name'], ['Images', 'image']].map(([title = '', field = '']) => col(title, (o) => list(at(o, 'template', 'spec', 'containers')).map((c) => text(c[field])).join(','))), col('Pod Labels', (o) => selectorText(record(at(o, 'template', 'metadata', 'labels'))) || '<none>')],
};
