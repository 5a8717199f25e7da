import { groupOf } from '@larry/contracts';
import { openLive, versionWarnings, type KindInfo, type KubeconfigOptions, type LiveCluster } from '@larry/kube';
import type { AccessRule, Playbook } from '@larry/playbook';
import { noPolicies, servesPolicies } from '../install/policies';
import { playbookLibraries } from '../playbook-libraries';
import type { DoctorLine } from './doctor-line';
import { heartbeatLines } from './heartbeats';

const reading = ['get', 'list', 'watch'];

/** Everything about the cluster that a check or a run would read. With `rights` also what it might change. */
export async function clusterLines(options: KubeconfigOptions & { rights?: boolean }): Promise<DoctorLine[]> {
  let cluster: LiveCluster;
  try {
    cluster = await openLive(options);
  } catch (error) {
    return [unreachable(error instanceof Error ? error.message : String(error))];
  }
  try {
    const { name, serverVersion, simulated } = cluster.source;
    const kinds = await cluster.kinds();
    const playbooks = playbookLibraries.flatMap((l) => l.built);
    return [
      { subject: 'cluster', level: 'ok', seen: `${name}, ${serverVersion ?? 'version not told'}${simulated ? ', SIMULATED' : ''}` },
      ...versionWarnings(cluster.source).map((seen): DoctorLine => ({ subject: 'cluster version', level: 'warn', seen, todo: 'what it does not serve is reported as unknown' })),
      readLine(kinds, playbooks),
      ...(await heartbeatLines(cluster)),
      ...(options.rights ? [policyLine(kinds)] : []),
      ...(options.rights ? await writeLines(cluster, kinds, playbooks) : [{ subject: 'write rights', level: 'ok' as const, seen: 'not asked for; --rights asks (observe needs none)' }]),
    ];
  } finally {
    await cluster.close();
  }
}

function unreachable(seen: string): DoctorLine {
  if (/^no kubeconfig found/.test(seen)) return { subject: 'cluster', level: 'warn', seen: 'no kubeconfig found', todo: 'give --kubeconfig FILE; folders (--manifests, --snapshot, --dump) and larry run --simulated need none' };
  return { subject: 'cluster', level: 'fail', seen, todo: 'mend what it says, or name another with --kubeconfig or --context' };
}

/** What a playbook needs, resource by resource. */
function neededBy(playbooks: readonly Playbook[], wanted: (verb: string) => boolean): { group: string; resource: string; verb: AccessRule['verbs'][number]; by: string }[] {
  return playbooks.flatMap(({ id, access }) =>
    access.flatMap((rule) => rule.apiGroups.flatMap((group) => rule.resources.flatMap((resource) => rule.verbs.filter(wanted).map((verb) => ({ group, resource, verb, by: id }))))),
  );
}

/** Which kinds can be listed; those that a playbook names and that cannot be are named with what misses them. */
export function readLine(kinds: readonly KindInfo[], playbooks: readonly Playbook[]): DoctorLine {
  const closed = kinds.filter((k) => k.availability.state !== 'listed');
  const listed = kinds.length - closed.length;
  const seen = `${listed} of ${kinds.length} kinds can be listed`;
  const needs = neededBy(playbooks, (verb) => reading.includes(verb));
  const missing = closed.flatMap((kind) => {
    const by = [...new Set(needs.filter((n) => n.resource === kind.resource && n.group === groupOf(kind.apiVersion)).map((n) => n.by))];
    return by.length > 0 ? [`${kind.resource} (${by.join(', ')})`] : [];
  });
  if (listed === 0) return { subject: 'read rights', level: 'fail', seen, todo: 'give this account a role that may list, for example the cluster role "view"' };
  if (missing.length > 0) return { subject: 'read rights', level: 'warn', seen: `${seen}; not ${missing.join(', ')}`, todo: 'what depends on these is reported as unknown; give the right to list them if that is not wanted' };
  if (closed.length > 0) return { subject: 'read rights', level: 'warn', seen: `${seen}; not ${closed.map((k) => k.resource).slice(0, 8).join(', ')}${closed.length > 8 ? ' …' : ''}`, todo: 'no playbook names these; catalogs leave them out and say so' };
  return { subject: 'read rights', level: 'ok', seen };
}

/** Whether the charts can confine Larry's account to the fields that playbooks declare. */
export function policyLine(kinds: readonly KindInfo[]): DoctorLine {
  const subject = 'admission policies';
  if (servesPolicies(kinds)) return { subject, level: 'ok', seen: 'served: an installed Larry is confined to the declared fields' };
  return { subject, level: 'warn', seen: noPolicies, todo: 'Kubernetes 1.30 and newer serve them; until then give write rights in few namespaces' };
}

/** Asks the API server (SelfSubjectAccessReview) for every right to change something that a playbook declares. */
async function writeLines(cluster: LiveCluster, kinds: readonly KindInfo[], playbooks: readonly Playbook[]): Promise<DoctorLine[]> {
  const writer = cluster.writer();
  const lines: DoctorLine[] = [];
  for (const { group, resource, verb, by } of neededBy(playbooks, (v) => !reading.includes(v))) {
    const [plural, subresource] = resource.split('/');
    const kind = kinds.find((k) => k.resource === plural && groupOf(k.apiVersion) === group);
    const what = `${verb} ${resource}${group ? `.${group}` : ''}`;
    if (!kind) lines.push({ subject: 'write rights', level: 'unknown', seen: `${what} (${by}): the cluster serves no such kind` });
    else if (await writer.may(verb as 'patch' | 'create' | 'delete', { apiVersion: kind.apiVersion, kind: kind.kind, name: '' }, subresource)) lines.push({ subject: 'write rights', level: 'ok', seen: `${what} everywhere (${by})` });
    else lines.push({ subject: 'write rights', level: 'warn', seen: `${what} (${by}): not in every namespace`, todo: 'observe needs no such right; for ask and auto give it in the namespaces that Larry may change' });
  }
  return lines;
}
