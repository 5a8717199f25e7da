// Rights of the accounts, from the declarations of the playbooks (`access`) and of the launcher.
import { releaseSecretsOnly, unchanged, validationsFor } from './declared-fields.mjs';

const writing = ['create', 'patch', 'delete'];
const isWrite = (verb) => writing.includes(verb);

/** What a catalog meets beside the kinds that every source has: newer ones of Kubernetes, and those of k3s itself. */
const besides = [
  ['v1', ['componentstatuses']],
  ['flowcontrol.apiserver.k8s.io/v1', ['flowschemas', 'prioritylevelconfigurations']],
  ['resource.k8s.io/v1', ['deviceclasses', 'resourceclaims', 'resourceclaimtemplates', 'resourceslices']],
  ['networking.k8s.io/v1', ['ipaddresses', 'servicecidrs']],
  ['storage.k8s.io/v1', ['volumeattributesclasses']],
  ['helm.cattle.io/v1', ['helmcharts', 'helmchartconfigs']],
  ['k3s.cattle.io/v1', ['addons', 'etcdsnapshotfiles']],
].flatMap(([apiVersion, resources]) => resources.map((resource) => ({ apiVersion, resource })));

/** A catalog's "every kind" as a list: Kubernetes' own kinds but Secrets. Other custom resources are named by values. */
function expanded(rule, kinds) {
  if (!rule.apiGroups.includes('*') && !rule.resources.includes('*')) return [rule];
  if (rule.verbs.some(isWrite)) throw new Error('a playbook declares "*" with a writing verb: that is nobody’s to have');
  const byGroup = new Map();
  for (const { apiVersion, resource } of [...kinds, ...besides]) {
    if (resource === 'secrets') continue;
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
    byGroup.set(group, [...(byGroup.get(group) ?? []), resource]);
  }
  return [...byGroup].map(([group, resources]) => ({ apiGroups: [group], resources, verbs: rule.verbs }));
}

/** One rule for each group and set of verbs, everything sorted: the same declarations give the same file. */
function merged(rules) {
  const verbsOf = new Map();
  for (const { apiGroups, resources, verbs } of rules) {
    for (const group of apiGroups) {
      for (const resource of resources) {
        const key = `${group}/${resource}`;
        verbsOf.set(key, new Set([...(verbsOf.get(key) ?? []), ...verbs]));
      }
    }
  }
  const byVerbs = new Map();
  for (const [key, verbs] of [...verbsOf].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const group = key.slice(0, key.indexOf('/'));
    const same = `${group} ${[...verbs].sort().join(',')}`;
    const rule = byVerbs.get(same) ?? { apiGroups: [group], resources: [], verbs: [...verbs].sort() };
    rule.resources.push(key.slice(key.indexOf('/') + 1));
    byVerbs.set(same, rule);
  }
  return [...byVerbs.values()];
}

const withVerbs = (rule, wanted) => ({ ...rule, verbs: rule.verbs.filter(wanted) });
const some = (rule) => rule.verbs.length > 0 && rule.resources.length > 0;

function parts(playbooks, kinds) {
  const rules = playbooks.flatMap(({ access }) => access.flatMap((rule) => expanded(rule, kinds)));
  const reads = rules.map((rule) => withVerbs(rule, (verb) => !isWrite(verb)));
  const only = (keep) => reads.map((rule) => ({ ...rule, resources: rule.resources.filter((resource) => keep(resource, rule)) })).filter(some);
  const isSecret = (resource, rule) => resource === 'secrets' && rule.apiGroups.includes('');
  return {
    read: merged(only((resource, rule) => !isSecret(resource, rule))),
    readSecrets: merged(only(isSecret)),
    writes: rules.map((rule) => withVerbs(rule, isWrite)).filter(some),
  };
}

/** What else a release usually has: an upgrade applies all its objects, and may change none of these. */
const ofReleases = [
  { apiGroups: [''], resources: ['configmaps', 'persistentvolumeclaims', 'serviceaccounts', 'services'] },
  { apiGroups: ['apps'], resources: ['daemonsets', 'deployments', 'statefulsets'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'] },
  { apiGroups: ['batch'], resources: ['cronjobs'] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'] },
];

/** Another repair may change these, where `rbac.writeNamespaces` allows it: repairing through Helm alone changes none. */
const configuration = { apiGroups: [''], resources: ['configmaps'] };

/**
 * What `helm upgrade` needs in one namespace, for a Larry that repairs through Helm: the Secrets in which Helm keeps releases, which RBAC
 * cannot tell from others, and what releases are made of. `confine`: which of it an admission policy keeps as it is (with
 * `outsideWriteNamespaces`: but in those).
 */
function helmRights(playbooks, writes) {
  if (!playbooks.some(({ categories }) => categories?.includes('helm-value'))) return {};
  const apply = ofReleases.map((rule) => ({ ...rule, verbs: ['get', 'patch'] }));
  const rules = merged([...apply, ...writes, { apiGroups: [''], resources: ['secrets'], verbs: ['create', 'delete', 'get', 'list', 'patch', 'update'] }]);
  const declared = new Set(writes.flatMap(({ apiGroups, resources }) => apiGroups.flatMap((group) => resources.map((resource) => `${group}/${resource}`))));
  const untouched = ofReleases
    .map((rule) => ({ ...rule, resources: rule.resources.filter((resource) => !declared.has(`${rule.apiGroups[0]}/${resource}`)) }))
    .filter(({ resources }) => resources.length > 0);
  const keep = (rule) => ({ ...rule, operations: ['UPDATE'], validations: unchanged });
  const secrets = { apiGroups: [''], resources: ['secrets'], operations: ['CREATE', 'UPDATE', 'DELETE'], validations: releaseSecretsOnly };
  return { helm: { rules, confine: [...untouched.map(keep), { ...keep(configuration), outsideWriteNamespaces: true }, secrets] } };
}

/** Rights of a Larry's worker (`read`, `readSecrets`, `write`, `confine`, `helm`) and of its coordinator (`launch`). */
export function larryRights(playbooks, kinds, launcher) {
  const { read, readSecrets, writes } = parts(playbooks, kinds);
  const confine = writes
    .filter((rule) => rule.verbs.includes('patch'))
    .map(({ apiGroups, resources, fields }) => ({ apiGroups, resources, validations: validationsFor(fields) }));
  return { read, readSecrets, write: merged(writes), confine, ...helmRights(playbooks, writes), launch: merged(launcher) };
}

/** The meta-coordinator looks again at what every Larry claims, and whether the plan's nodes are there. It writes nothing. */
export function metaRights(playbooks, kinds) {
  const { read, readSecrets } = parts(playbooks, kinds);
  return { read: merged([...read, { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list'] }]), readSecrets };
}
