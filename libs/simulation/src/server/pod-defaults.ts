import type { Fields } from './kube-object';
import { at, isObject, list, record } from './kube-object';

/** Sets a field where it is absent. */
export function preset(target: Fields, values: Fields): void {
  for (const [key, value] of Object.entries(values)) if (target[key] === undefined || target[key] === null || target[key] === '') target[key] = value;
}

/** Defaults of a pod's spec (core/v1 defaults.go's rules), in place: the caller owns the object. `hostNetwork` pods also get host ports. */
export function defaultPodSpec(spec: Fields): void {
  preset(spec, { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst', securityContext: {}, schedulerName: 'default-scheduler' });
  if (spec['serviceAccountName']) spec['serviceAccount'] = spec['serviceAccountName'];
  else if (spec['serviceAccount']) spec['serviceAccountName'] = spec['serviceAccount'];
  for (const container of list(spec['containers'])) defaultContainer(container, spec['hostNetwork'] === true);
  for (const container of list(spec['initContainers'])) defaultContainer(container, spec['hostNetwork'] === true);
  for (const volume of list(spec['volumes'])) defaultVolume(volume);
}

/** `latest` and no tag at all are pulled each time. */
export function pullPolicy(image: unknown): string {
  const name = String(image ?? '');
  if (name.includes('@')) return 'IfNotPresent';
  const tag = /:([^:/]+)$/.exec(name)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultContainer(container: Fields, hostNetwork: boolean): void {
  preset(container, {
    resources: {}, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File', imagePullPolicy: pullPolicy(container['image']),
  });
  for (const port of list(container['ports'])) {
    preset(port, { protocol: 'TCP' });
    if (hostNetwork) preset(port, { hostPort: port['containerPort'] });
  }
  for (const env of list(container['env'])) {
    const fieldRef = at(env, 'valueFrom', 'fieldRef');
    if (isObject(fieldRef)) preset(fieldRef, { apiVersion: 'v1' });
  }
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) if (isObject(container[probe])) defaultProbe(container[probe]);
  for (const hook of Object.values(record(container['lifecycle']))) defaultHttpGet(at(hook, 'httpGet'));
  defaultRequests(record(container['resources']));
}

/** A limit without a request is also the request. */
function defaultRequests(resources: Fields): void {
  const limits = record(resources['limits']);
  if (Object.keys(limits).length === 0) return;
  resources['requests'] = { ...limits, ...record(resources['requests']) };
}

function defaultProbe(probe: Fields): void {
  for (const [name, value] of Object.entries({ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })) {
    if (!probe[name]) probe[name] = value;
  }
  defaultHttpGet(probe['httpGet']);
  if (isObject(probe['grpc'])) preset(probe['grpc'], { service: '' });
}

function defaultHttpGet(action: unknown): void {
  if (isObject(action)) preset(action, { path: '/', scheme: 'HTTP' });
}

function defaultVolume(volume: Fields): void {
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  if (sources.length === 0) volume['emptyDir'] = {};
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected']) if (isObject(volume[source])) preset(volume[source], { defaultMode: 420 });
  if (isObject(volume['hostPath']) && volume['hostPath']['type'] === undefined) volume['hostPath']['type'] = '';
  for (const source of list(at(volume, 'projected', 'sources'))) {
    if (isObject(source['serviceAccountToken'])) preset(source['serviceAccountToken'], { expirationSeconds: 3600 });
    for (const item of list(at(source, 'downwardAPI', 'items'))) if (isObject(item['fieldRef'])) preset(item['fieldRef'], { apiVersion: 'v1' });
  }
  for (const item of list(at(volume, 'downwardAPI', 'items'))) if (isObject(item['fieldRef'])) preset(item['fieldRef'], { apiVersion: 'v1' });
  const template = at(volume, 'ephemeral', 'volumeClaimTemplate', 'spec');
  if (isObject(template)) preset(template, { volumeMode: 'Filesystem' });
}
