/** The namespace of a test's Jobs. */
export const jobNamespace = 'larry-01';

/** A Job template as a chart renders it, with pods that the {@link PodRunner} runs. JSON is YAML. */
export function jobTemplateText(env: Record<string, string>, pod: Record<string, unknown> = {}, spec: Record<string, unknown> = {}): string {
  return JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { labels: { 'app.kubernetes.io/part-of': 'larry' } },
    spec: {
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      ttlSecondsAfterFinished: 3600,
      ...spec,
      template: {
        spec: {
          serviceAccountName: 'default',
          restartPolicy: 'Never',
          schedulerName: 'pod-runner',
          terminationGracePeriodSeconds: 5,
          containers: [{ name: 'worker', image: 'larry-01:test', args: ['worker.js'], env: Object.entries(env).map(([name, value]) => ({ name, value })) }],
          ...pod,
        },
      },
    },
  });
}
