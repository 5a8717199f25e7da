import { listOf, recordOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import { openLive, type KubeconfigOptions, type LiveCluster } from '@larry/kube';
import type { Bundle } from './bundle';

const ours = 'app.kubernetes.io/part-of=larry';
const logLines = 500;

/** What a cluster holds of Larry: pods with their state and settings, Jobs, events, logs. Nothing of anybody else. */
export async function clusterParts(bundle: Bundle, options: KubeconfigOptions): Promise<void> {
  const cluster = await openLive(options);
  try {
    const pods = await collected(cluster, 'v1', 'Pod', { labelSelector: ours });
    if (pods.length === 0) return bundle.leaveOut('pods and logs in the cluster', `no pod in ${cluster.source.name} has the label ${ours}`);
    bundle.json('cluster/pods.json', pods.map(podFacts));
    await bundle.part('Jobs', async () => bundle.json('cluster/jobs.json', (await collected(cluster, 'batch/v1', 'Job', { labelSelector: ours })).map(({ metadata, ...rest }) => ({ name: `${metadata.namespace}/${metadata.name}`, labels: metadata.labels, created: metadata.creationTimestamp, status: rest['status'] }))));
    for (const namespace of new Set(pods.map((pod) => pod.metadata.namespace ?? ''))) {
      await bundle.part(`events of ${namespace}`, async () => bundle.lines(`cluster/events-${namespace}.ndjson`, (await collected(cluster, 'v1', 'Event', { namespace })).map(eventFacts)));
    }
    for (const pod of pods) await logsOf(bundle, cluster, pod);
    bundle.leaveOut('metrics of services in the cluster', 'only the cluster reaches them: kubectl port-forward, then --api');
    bundle.leaveOut('audit logs in the cluster', 'they lie on volumes: docs/operations.md says how to verify and copy them');
    bundle.leaveOut('Secrets and ConfigMaps', 'Secrets are not read; what pods are set to stands with the pods');
  } finally {
    await cluster.close();
  }
}

async function collected(cluster: LiveCluster, apiVersion: string, kind: string, options: { labelSelector?: string; namespace?: string }): Promise<KubeObject[]> {
  const objects: KubeObject[] = [];
  for await (const object of cluster.list({ apiVersion, kind }, options)) objects.push(object);
  return objects;
}

/** Settings as they are typed in the pod; those from Secrets by their reference. */
function podFacts(pod: KubeObject): unknown {
  const containers = listOf(valueIn(pod, 'spec', 'containers')).map(recordOf);
  return {
    name: `${pod.metadata.namespace}/${pod.metadata.name}`,
    labels: pod.metadata.labels,
    created: pod.metadata.creationTimestamp,
    node: valueIn(pod, 'spec', 'nodeName'),
    containers: containers.map(({ name, image, env, resources }) => ({ name, image, env, resources })),
    status: pod['status'],
  };
}

function eventFacts(event: KubeObject): unknown {
  return { about: recordOf(event['involvedObject'])['name'], type: event['type'], reason: event['reason'], message: event['message'], count: event['count'], last: event['lastTimestamp'] };
}

async function logsOf(bundle: Bundle, cluster: LiveCluster, pod: KubeObject): Promise<void> {
  const { name, namespace = '' } = pod.metadata;
  const statuses = listOf(valueIn(pod, 'status', 'containerStatuses')).map(recordOf);
  for (const status of statuses) {
    const container = textOf(status['name']) ?? '';
    const take = (previous: boolean) => async (): Promise<void> => {
      const lines = await cluster.logs({ namespace, name }, container, { tailLines: logLines, previous });
      bundle.text(`cluster/logs/${name.slice(0, 45)}${previous ? '.previous' : ''}.log`, `${lines.join('\n')}\n`);
    };
    await bundle.part(`log of ${namespace}/${name}`, take(false));
    if (Number(status['restartCount'] ?? 0) > 0) await bundle.part(`log of ${namespace}/${name} before its restart`, take(true));
  }
}
