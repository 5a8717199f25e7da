// A Job's template as a chart renders it, with one container.

export function jobTemplate(container) {
  const spec = { serviceAccountName: 'default', restartPolicy: 'Never', terminationGracePeriodSeconds: 5, containers: [{ name: 'worker', ...container }] };
  return JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: {}, spec: { backoffLimit: 0, podReplacementPolicy: 'Failed', ttlSecondsAfterFinished: 3600, template: { spec } } });
}
