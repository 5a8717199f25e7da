import { printable, type KubeObject } from '@larry/contracts';
import { openLive, versionWarnings, type ClusterWriter, type LiveCluster } from '@larry/kube';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { confirmed } from '../terminal/ask';
import { exitCodes, UserError } from '../user-error';
import { askedChoices, checkWords, type InstallOptions } from './choices';
import { HelmTool } from './helm-tool';
import { installedBefore, rightsLine, type Installed } from './installed';
import { meta, releases, upgradeArguments, valuesOf, type CustomResource, type InstallChoices } from './releases';
import { noPolicies, servesPolicies } from './policies';
import { namingRights } from './rights';
import { neededSecrets, ourLabels, type NeededSecrets } from './secrets';

/** `larry install`: the four releases and the Secrets that they need. Shows what it will make, and asks. */
export async function install(options: InstallOptions): Promise<void> {
  checkWords(options);
  const helm = new HelmTool(options);
  const cluster = await openLive(options);
  try {
    await namingRights(() => installInto(cluster, helm, options));
  } finally {
    await cluster.close();
  }
}

async function installInto(cluster: LiveCluster, helm: HelmTool, options: InstallOptions): Promise<void> {
  const existing = await secretValues(cluster, meta, 'larry-redis');
  const choices = await askedChoices(options, existing !== undefined);
  const user = options.user ?? (os.userInfo().username || 'operator');
  const secrets = await neededSecrets(choices, user, (namespace, name) => secretValues(cluster, namespace, name));
  await checkNamespaces(cluster, '--write-namespaces', choices.writeNamespaces);
  await checkNamespaces(cluster, '--repair-helm', choices.repairHelm);
  if (choices.repairHelm.length > 0 && !servesPolicies(await cluster.kinds())) throw new UserError('--repair-helm needs an API server with ValidatingAdmissionPolicies (Kubernetes 1.30): Roles alone would let larry-01 write every Secret of these namespaces; leave it out; nothing was made');
  const namespaces = await missingNamespaces(cluster);
  const custom = await customResources(cluster);
  process.stdout.write(planned(cluster, choices, secrets, namespaces, custom, await installedBefore(helm)));
  for (const warning of await clusterWarnings(cluster, choices)) process.stderr.write(`larry: ${warning}\n`);
  if (options.dryRun) return void process.stdout.write('Nothing was made (--dry-run).\n');
  if (!(await confirmed('Make all this?', options))) return void process.stdout.write('Nothing was made.\n');
  const writer = cluster.writer();
  for (const object of [...namespaces, ...secrets.make]) await create(writer, object);
  // Before the releases: only the hash is kept, and what comes next may fail.
  if (secrets.token) process.stdout.write(`  your token, shown this once: export LARRY_TOKEN=${secrets.token}\n`);
  await upgradeAll(helm, choices, custom);
  process.stdout.write(after(secrets));
}

async function upgradeAll(helm: HelmTool, choices: InstallChoices, custom: readonly CustomResource[]): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-install-'));
  try {
    for (const release of [meta, ...releases.filter((name) => name !== meta)]) {
      const file = path.join(folder, `${release}.yaml`);
      writeFileSync(file, stringify(valuesOf(release, choices, custom)), { mode: 0o600 });
      await helm.run(upgradeArguments(release, file, choices));
      process.stdout.write(`  ${release} is installed\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function secretValues(cluster: LiveCluster, namespace: string, name: string): Promise<Record<string, string> | undefined> {
  const object = await cluster.get({ apiVersion: 'v1', kind: 'Secret', namespace, name });
  if (!object) return undefined;
  return Object.fromEntries(Object.entries((object['data'] as Record<string, string> | undefined) ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

/** Said before anything is made: the first release would be there already when helm refuses the second. */
async function checkNamespaces(cluster: LiveCluster, option: string, names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if (!(await cluster.get({ apiVersion: 'v1', kind: 'Namespace', name }))) missing.push(name);
  if (missing.length > 0) throw new UserError(`${option}: there is no namespace ${missing.map((name) => `"${printable(name, 100)}"`).join(', ')} in this cluster; take it out, or create it first; nothing was made`);
}

async function missingNamespaces(cluster: LiveCluster): Promise<KubeObject[]> {
  const missing: KubeObject[] = [];
  for (const name of releases) {
    const there = await cluster.get({ apiVersion: 'v1', kind: 'Namespace', name });
    if (there?.metadata.deletionTimestamp) throw new UserError(`the namespace ${name} is being deleted: wait until it is gone (kubectl get namespace ${name}), then run larry install again`, exitCodes.incomplete);
    const labels = { ...ourLabels, 'pod-security.kubernetes.io/enforce': 'restricted' };
    if (!there) missing.push({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  }
  return missing;
}

/** Custom resources for the catalog: RBAC has no word for "every kind but Secrets". */
async function customResources(cluster: LiveCluster): Promise<CustomResource[]> {
  const groups = new Map<string, Set<string>>();
  for (const { apiVersion, resource, availability } of await cluster.kinds()) {
    const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] as string) : '';
    if (!group.includes('.') || /(^|\.)k8s\.io$/.test(group) || availability.state !== 'listed' || !/^[a-z0-9-]+$/.test(resource)) continue;
    groups.set(group, (groups.get(group) ?? new Set()).add(resource));
  }
  return [...groups].sort().map(([apiGroup, resources]) => ({ apiGroup, resources: [...resources].sort() }));
}

/** What is worth a word before it is asked for. */
async function clusterWarnings(cluster: LiveCluster, { writeNamespaces }: InstallChoices): Promise<string[]> {
  const kinds = await cluster.kinds();
  return [...versionWarnings(cluster.source), ...(writeNamespaces.length > 0 && !servesPolicies(kinds) ? [noPolicies] : [])];
}

async function create(writer: ClusterWriter, object: KubeObject): Promise<void> {
  const made = await writer.create(object, { dryRun: false });
  if (made.outcome === 'done') return;
  const { name, namespace } = object.metadata;
  throw new UserError(`${object.kind} ${namespace ? `${namespace}/` : ''}${name} could not be made: ${printable(made.message, 500)}`, exitCodes.incomplete);
}

function planned(cluster: LiveCluster, choices: InstallChoices, secrets: NeededSecrets, namespaces: readonly KubeObject[], custom: readonly CustomResource[], before: Installed): string {
  const names = secrets.make.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const redis = choices.redisUrl ? 'a Redis of yours, its address in Secrets' : choices.redisImage ? `one of its own, ${choices.redisImage}` : 'as the Secrets that are there say';
  const lines = [
    `Into ${printable(cluster.source.name, 200)}${cluster.source.simulated ? ' (SIMULATED)' : ''}:`,
    `  releases    ${releases.map((release) => `${release} (namespace ${release})`).join(', ')}`,
    `  images      ${releases.map((release) => `${choices.images}/${release}`).join(', ')}`,
    `  Redis       ${redis}`,
    `  namespaces  ${namespaces.length === 0 ? 'all are there' : `new: ${namespaces.map(({ metadata }) => metadata.name).join(', ')}`}`,
    `  Secrets     ${names.length === 0 ? 'all are there' : `new: ${names.join(', ')}`}${secrets.kept.length > 0 && names.length > 0 ? `; kept: ${secrets.kept.join(', ')}` : ''}`,
    `  reads       ${custom.length === 0 ? 'Kubernetes\' own kinds' : `Kubernetes' own kinds, and of ${custom.map(({ apiGroup }) => apiGroup).join(', ')}`}; ${choices.repairHelm.length === 0 ? 'no Secrets' : `of Secrets those in ${printable(choices.repairHelm.join(', '), 300)}`}`,
    `  writes      ${printable(rightsLine(choices, before), 1000)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function after({ token }: NeededSecrets): string {
  return `
Look:    kubectl get pods -n larry-01 -w
Reach:   kubectl port-forward -n ${meta} service/${meta} 8080:8080
Token:   ${token ? 'as shown above; only its hash is kept' : `the one you have; for a new one kubectl delete secret larry-tokens -n ${meta}, then larry install again`}
Run:     larry run --api http://127.0.0.1:8080
Remove:  larry uninstall
`;
}
