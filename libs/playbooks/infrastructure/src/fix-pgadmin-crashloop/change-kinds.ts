/** A kind of change: its category, as `larry run --allow` names it, and what it depends on. */
export interface ChangeKind {
  category: Category;
  /** JSON pointers to what the diagnosis read for it, the changed field among it. */
  depends: string[];
  /** A person always sees it, also in mode `auto`. */
  alwaysAsk: boolean;
}

/** The categories of the changes that this task makes. */
export const categories = [
  'workload-env',
  'workload-security-context',
  'workload-image',
  'workload-probe',
  'workload-resources',
  'workload-volumes',
  'workload-dns',
  'workload-arguments',
  'workload-references',
  'workload-scale',
  'workload-scheduling',
  'service-ports',
  'service-selector',
  'config-data',
  'route-backend',
  'node-cordon',
  // Through Helm, whatever the field: an upgrade runs the release's hooks as well.
  'helm-value',
  // In the repository that something is applied from, whatever the field: nothing in the cluster changes before somebody merges it.
  'git-branch',
] as const;
export type Category = (typeof categories)[number];

interface Rule {
  category: Category;
  /** Matches the JSON pointer that is changed; `pod` and `container` are pointers to the pod's spec and the container. */
  at: RegExp;
  /** Below the container, the pod's spec, or the object. */
  ofContainer?: readonly string[];
  ofPod?: readonly string[];
  ofObject?: readonly string[];
  alwaysAsk?: true;
}

const pod = String.raw`^(?<pod>/spec/(?:jobTemplate/spec/)?template/spec)`;
const container = String.raw`${pod}(?<container>/(?:initC|c)ontainers/\d+)`;

/** The first that matches counts. */
const ofWorkload: readonly Rule[] = [
  // What is named instead is the nearest thing that exists.
  { category: 'workload-references', at: new RegExp(String.raw`${container}/env(?:From)?/\d+/(?:valueFrom|secretRef|configMapRef|prefix)`), alwaysAsk: true },
  { category: 'workload-references', at: new RegExp(String.raw`${pod}/(?:volumes/\d+/(?:secret|configMap|projected))`), alwaysAsk: true },
  { category: 'workload-env', at: new RegExp(String.raw`${container}(?<entry>/env/\d+)/value$`) },
  // A variable that is not there: what its value goes by is what the container has already.
  { category: 'workload-env', at: new RegExp(String.raw`${container}/env(?:/-)?$`), ofContainer: ['/volumeMounts', '/envFrom'], ofPod: ['/volumes'] },
  { category: 'workload-security-context', at: new RegExp(`${container}/securityContext`), ofContainer: ['/securityContext'] },
  { category: 'workload-security-context', at: new RegExp(`${pod}/securityContext`), ofPod: ['/securityContext', '/volumes'] },
  { category: 'workload-image', at: new RegExp(`${container}/image$`) },
  { category: 'workload-probe', at: new RegExp(`${container}(?<entry>/(?:liveness|readiness|startup)Probe)/`), ofContainer: ['/ports'] },
  { category: 'workload-resources', at: new RegExp(`${container}/resources/`), ofContainer: ['/resources'] },
  // Somebody mounted it so that nothing is written there.
  { category: 'workload-volumes', at: new RegExp(String.raw`${container}/volumeMounts/\d+/readOnly$`), ofContainer: ['/volumeMounts'], alwaysAsk: true },
  { category: 'workload-volumes', at: new RegExp(`${container}/volumeMounts`), ofContainer: ['/volumeMounts'] },
  { category: 'workload-volumes', at: new RegExp(`${pod}/volumes`), ofPod: ['/volumes'] },
  { category: 'workload-arguments', at: new RegExp(String.raw`${container}/(?:args|command)/\d+$`), ofContainer: ['/args', '/command'] },
  // A taint keeps pods away on purpose.
  { category: 'workload-scheduling', at: new RegExp(`${pod}/tolerations`), ofPod: ['/tolerations', '/nodeSelector', '/affinity'], alwaysAsk: true },
  { category: 'workload-dns', at: new RegExp(`${pod}/dnsPolicy$`), ofPod: ['/dnsPolicy', '/dnsConfig', '/hostNetwork'] },
  // The pods are made anew, so that they read what was put right in a ConfigMap.
  { category: 'config-data', at: /^\/spec\/template\/metadata\/annotations(?:\/|$)/ },
  // Somebody told it to have none.
  { category: 'workload-scale', at: /^\/spec\/replicas$/, alwaysAsk: true },
];

const ofOthers: Readonly<Record<string, readonly Rule[]>> = {
  Service: [
    { category: 'service-selector', at: /^\/spec\/selector\//, ofObject: ['/spec/selector'] },
    { category: 'service-ports', at: /^\/spec\/ports\/\d+\/(?:targetPort|protocol|port)$/, ofObject: ['/spec/ports', '/spec/selector'] },
  ],
  ConfigMap: [{ category: 'config-data', at: /^\/data\/[^/]+$/ }],
  // Who cordoned it had a reason.
  Node: [{ category: 'node-cordon', at: /^\/spec\/unschedulable$/, ofObject: ['/spec/taints'], alwaysAsk: true }],
};

/** Where traffic from outside goes is seen by a person. */
const ofRoutes: readonly Rule[] = [{ category: 'route-backend', at: /^(?<entry>\/spec\/(?:rules|defaultBackend|http|routes))(?:\/|$)/, alwaysAsk: true }];

const workloads: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob']);

/** What kind of change it is to change a field of an object; undefined where it is none that this task makes. Pure. */
export function kindOfChange(kind: string, path: string): ChangeKind | undefined {
  const rules = workloads.has(kind) ? ofWorkload : (ofOthers[kind] ?? ofRoutes);
  for (const { category, at, alwaysAsk = false, ...of } of rules) {
    const groups = at.exec(path)?.groups ?? (at.test(path) ? {} : undefined);
    if (groups === undefined) continue;
    const podAt = groups['pod'] ?? '';
    const containerAt = groups['container'] === undefined ? undefined : `${podAt}${groups['container']}`;
    const entry = groups['entry'] === undefined ? undefined : `${containerAt ?? ''}${groups['entry']}`;
    const depends = [
      ...(containerAt === undefined ? [] : [`${containerAt}/name`, `${containerAt}/image`, ...(of.ofContainer ?? []).map((field) => `${containerAt}${field}`)]),
      ...(of.ofPod ?? []).map((field) => `${podAt}${field}`),
      ...(of.ofObject ?? []),
      ...(category === 'workload-env' && entry !== undefined ? [`${entry}/name`] : entry === undefined ? [] : [entry]),
      // What is appended depends on the whole list, which is named above.
      ...(path.endsWith('/-') || (entry !== undefined && category !== 'workload-env') ? [] : [path]),
    ];
    return { category, depends, alwaysAsk };
  }
  return undefined;
}
