import { printable, type KubeObject } from '@larry/contracts';
import { openLive, type ClusterWriter, type LiveCluster, type WriteOutcome } from '@larry/kube';
import { confirmed } from '../terminal/ask';
import { exitCodes, UserError } from '../user-error';
import { HelmTool, type ClusterChoice } from './helm-tool';
import { leftovers, ourAnnotations, refOf, type Leftovers } from './leftovers';
import { releases } from './releases';

/** The words of `larry uninstall`. */
export interface UninstallOptions extends ClusterChoice {
  keepData?: boolean;
  dryRun?: boolean;
  yes?: boolean;
}

const goneWithinMs = 120_000;

/** `larry uninstall`: lists everything of ours in the cluster, asks, and removes it. */
export async function uninstall(options: UninstallOptions): Promise<void> {
  const helm = new HelmTool(options);
  const cluster = await openLive(options);
  try {
    const found = kept(await leftovers(cluster, helm), options);
    process.stdout.write(listed(cluster, found));
    if (isEmpty(found)) return;
    if (options.dryRun) return void process.stdout.write('Nothing was removed (--dry-run).\n');
    if (!(await confirmed('Remove all this?', options))) return void process.stdout.write('Nothing was removed.\n');
    for (const { name, namespace } of inOrder(found.releases)) await helm.run(['uninstall', name, '--namespace', namespace, '--wait', '--timeout', '3m']);
    const problems = await removeObjects(cluster, found.annotated, [...found.jobs, ...found.secrets, ...found.claims]);
    // Looked at once more: what somebody put into a namespace since it was listed would go with it.
    const empty = kept(await leftovers(cluster, helm), options).namespaces.filter(({ metadata }) => found.namespaces.some((listed) => listed.metadata.uid === metadata.uid));
    problems.push(...(await removeObjects(cluster, [], empty)));
    await namespacesGone(cluster, empty, problems);
    for (const { metadata } of found.namespaces) if (!empty.some(({ metadata: { uid } }) => uid === metadata.uid)) problems.push(`namespace ${metadata.name} holds something now that is not ours`);
    if (problems.length > 0) throw new UserError(`not everything could be removed: ${problems.join('; ')}; run larry uninstall again`, exitCodes.incomplete);
    process.stdout.write('All of it is removed.\n');
  } finally {
    await cluster.close();
  }
}

/** With `--keep-data` claims stay, and so do the namespaces that hold them. */
function kept(found: Leftovers, { keepData }: UninstallOptions): Leftovers {
  if (!keepData) return found;
  const holding = new Set(found.claims.map(({ metadata }) => metadata.namespace));
  return { ...found, claims: [], namespaces: found.namespaces.filter(({ metadata }) => !holding.has(metadata.name)) };
}

/** Larrys first: they hand their leases back while the Redis of the meta-coordinator's release is there. */
function inOrder(found: Leftovers['releases']): Leftovers['releases'] {
  const rank = (chart: string): number => releases.findIndex((name) => chart.startsWith(name));
  return [...found].sort((a, b) => rank(a.chart) - rank(b.chart));
}

const isEmpty = ({ releases: r, jobs, secrets, claims, annotated, namespaces }: Leftovers): boolean => [r, jobs, secrets, claims, annotated, namespaces].every((list) => list.length === 0);

function listed(cluster: LiveCluster, found: Leftovers): string {
  const name = ({ kind, metadata }: KubeObject): string => printable(`${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`, 300);
  const lines = [
    ...found.releases.map((release) => printable(`release ${release.name} (${release.chart}) in ${release.namespace}`, 300)),
    ...[...found.jobs, ...found.secrets].map(name),
    ...found.claims.map((claim) => `${name(claim)} ${fateOf(found.retained.get(claim.metadata.uid ?? ''))}`),
    ...found.annotated.map((object) => `${ourAnnotations(object).join(', ')} of ${name(object)} (the object stays)`),
    ...found.namespaces.map(name),
  ];
  const staying = [
    ...found.occupied.map(({ namespace, because }) => printable(`${name(namespace)} stays: ${because}`, 600)),
    ...found.elsewhere.map((release) => printable(`release ${release.name} (${release.chart}) in ${release.namespace} stays: larry install did not put it there; helm uninstall ${release.name} -n ${release.namespace} removes it`, 500)),
  ].map((line) => `${line}\n`).join('');
  const head = `${printable(cluster.source.name, 200)}${cluster.source.simulated ? ' (SIMULATED)' : ''}`;
  const unknown = found.unknown.length > 0 ? `Not looked through: ${printable(found.unknown.join('; '), 1500)}\n` : '';
  if (lines.length === 0) return `${staying === '' ? `Nothing of Larry's is in ${head}` : `Nothing to remove in ${head}`}.\n${staying}${unknown}`;
  return `Of Larry's in ${head}:\n${lines.map((line) => `  ${line}\n`).join('')}${staying}${unknown}`;
}

const fateOf = (volume: string | undefined): string =>
  volume === undefined ? 'with its data: an audit log, or a Redis (--keep-data keeps it)' : `(an audit log, or a Redis); its data stays in PersistentVolume ${volume}, whose reclaim policy is Retain`;

async function removeObjects(cluster: LiveCluster, annotated: readonly KubeObject[], whole: readonly KubeObject[]): Promise<string[]> {
  const writer = cluster.writer();
  const problems: string[] = [];
  const note = (object: KubeObject, outcome: WriteOutcome): void => {
    if (outcome.outcome === 'done' || (outcome.outcome === 'refused' && outcome.status === 404)) return;
    problems.push(printable(`${object.kind} ${object.metadata.name}: ${outcome.message}`, 300));
  };
  for (const object of annotated) note(object, await withoutAnnotations(writer, object));
  for (const object of whole) {
    const { uid } = object.metadata;
    if (uid) note(object, await writer.remove(refOf(object), { uid }, { dryRun: false }));
  }
  return problems;
}

/** Conditional on the object and on each value, so that nothing that is newer is removed. */
function withoutAnnotations(writer: ClusterWriter, object: KubeObject): Promise<WriteOutcome> {
  const patch = ourAnnotations(object).flatMap((key) => {
    const path = `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [{ op: 'test', path, value: object.metadata.annotations?.[key] }, { op: 'remove', path }];
  });
  return writer.patch({ target: refOf(object), patch: [{ op: 'test', path: '/metadata/uid', value: object.metadata.uid }, ...patch] }, { dryRun: false });
}

async function namespacesGone(cluster: LiveCluster, namespaces: readonly KubeObject[], problems: string[]): Promise<void> {
  const until = Date.now() + goneWithinMs;
  for (const { metadata } of namespaces) {
    while (await cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: metadata.name })) {
      if (Date.now() > until) return void problems.push(`namespace ${metadata.name} is still being deleted (kubectl get namespace ${metadata.name} -o yaml says what it waits for)`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
