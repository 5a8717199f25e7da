import type { Evidence, ObjectRef } from '@larry/contracts';
import { printable } from '@larry/contracts';
import { allowedSpecialDomains, emailProblem, pgadminSays } from '@larry/diagnosis';
import type { PgadminFacts, PodFacts, SettingFacts, WorkloadFacts } from './facts';

export const pgadminCauses = ['pgadmin_invalid_email', 'pgadmin_missing_credentials', 'pgadmin_data_not_writable'] as const;
export type PgadminCauseId = (typeof pgadminCauses)[number];

/** Why PgAdmin does not run, with what says so. */
export interface PgadminCause {
  id: PgadminCauseId;
  title: string;
  evidence: Evidence[];
  /** 1 where PgAdmin itself said it; less where only its configuration suggests it. */
  confidence: number;
}

interface Hit {
  pod: PodFacts;
  run: string;
  line: string;
}

/**
 * The root cause of a PgAdmin that does not run, or undefined when none of the three is shown. What PgAdmin said goes
 * before what its configuration suggests: the warnings about ACLs, setrlimit and sudo that it prints in every run are
 * no causes. For manifests, which have no log, the configuration alone is judged.
 */
export function pgadminCause(workload: WorkloadFacts, runtime: boolean): PgadminCause | undefined {
  const pgadmin = workload.pgadmin;
  if (!pgadmin) return undefined;
  if (runtime && workload.status !== 'not-running') return undefined;
  return saidCause(workload, pgadmin) ?? refusedByKubelet(workload, pgadmin) ?? configuredCause(workload, pgadmin, runtime);
}

function saidCause(workload: WorkloadFacts, pgadmin: PgadminFacts): PgadminCause | undefined {
  const ids = pgadminCauses;
  // The newest run of a container decides; a run before it may have failed for a reason that is mended by now.
  for (const run of ['current', 'previous'] as const) {
    const hits = ids.flatMap((id) => (firstHit(workload, pgadmin, run, pgadminSays[id]) ? [{ id, hit: firstHit(workload, pgadmin, run, pgadminSays[id]) as Hit }] : []));
    const first = hits[0];
    if (!first) continue;
    const evidence = [
      { object: first.hit.pod.ref, at: `log:${pgadmin.container}:${first.hit.run}`, value: first.hit.line },
      ...configEvidence(first.id, workload.ref, pgadmin),
      ...lastExit(first.hit.pod, pgadmin),
    ];
    return { id: first.id, title: titleOf(first.id, pgadmin), evidence, confidence: 1 };
  }
  return undefined;
}

function firstHit(workload: WorkloadFacts, pgadmin: PgadminFacts, run: string, patterns: readonly RegExp[]): Hit | undefined {
  for (const pod of workload.pods) {
    const log = pod.containers.find((c) => c.name === pgadmin.container)?.logs.find((l) => l.run === run);
    const line = log?.lines.findLast((l) => patterns.some((p) => p.test(l)));
    if (line !== undefined) return { pod, run, line };
  }
  return undefined;
}

/** The kubelet starts no container whose Secret, ConfigMap or key is missing: there is no log then. */
function refusedByKubelet(workload: WorkloadFacts, pgadmin: PgadminFacts): PgadminCause | undefined {
  const missing = [pgadmin.email, pgadmin.password].filter((s) => s.state !== 'value' && s.from);
  for (const pod of workload.pods) {
    const container = pod.containers.find((c) => c.name === pgadmin.container && c.reason === 'CreateContainerConfigError');
    const message = container?.message ?? '';
    const about = missing.find((s) => message.includes(s.from?.name ?? '\0'));
    if (!about) continue;
    const evidence: Evidence[] = [
      { object: pod.ref, at: `.status.containerStatuses[${pgadmin.container}].state.waiting.message`, value: message },
      ...configEvidence('pgadmin_missing_credentials', workload.ref, pgadmin),
    ];
    return { id: 'pgadmin_missing_credentials', title: titleOf('pgadmin_missing_credentials', pgadmin), evidence, confidence: 1 };
  }
  return undefined;
}

/** Without a word of PgAdmin's: what its entrypoint would refuse, in the entrypoint's order. */
function configuredCause(workload: WorkloadFacts, pgadmin: PgadminFacts, runtime: boolean): PgadminCause | undefined {
  if (pgadmin.externalDatabase) return undefined;
  if (runtime && (!exitedWithError(workload, pgadmin) || hasLog(workload, pgadmin))) return undefined;
  const made = (id: PgadminCauseId, confidence: number): PgadminCause => ({
    id,
    title: titleOf(id, pgadmin),
    evidence: configEvidence(id, workload.ref, pgadmin),
    confidence,
  });
  if (pgadmin.email.state === 'missing' || pgadmin.password.state === 'missing') return made('pgadmin_missing_credentials', 0.9);
  if (problemOf(pgadmin) !== undefined) return made('pgadmin_invalid_email', 0.8);
  const { data } = pgadmin;
  const unwritable = data.volume === 'persistentVolumeClaim' && data.fsGroup === undefined && data.runAsUser !== 0;
  return runtime && unwritable ? made('pgadmin_data_not_writable', 0.4) : undefined;
}

function exitedWithError(workload: WorkloadFacts, pgadmin: PgadminFacts): boolean {
  return workload.pods.some((pod) => pod.containers.some((c) => c.name === pgadmin.container && (c.last?.exitCode ?? c.exitCode) === 1));
}

function hasLog(workload: WorkloadFacts, pgadmin: PgadminFacts): boolean {
  return workload.pods.some((pod) => pod.containers.some((c) => c.name === pgadmin.container && c.logs.some((l) => l.lines.length > 0)));
}

/** Why PgAdmin refuses its e-mail address, where the address can be seen. */
export function problemOf(pgadmin: PgadminFacts): string | undefined {
  const { value } = pgadmin.email;
  return value === undefined ? undefined : emailProblem(value, allowedSpecialDomains(pgadmin.allowedDomains));
}

function titleOf(id: PgadminCauseId, pgadmin: PgadminFacts): string {
  if (id === 'pgadmin_data_not_writable') return 'PgAdmin cannot write its data directory /var/lib/pgadmin as user 5050';
  if (id === 'pgadmin_invalid_email') {
    const problem = problemOf(pgadmin);
    const shown = pgadmin.email.value === undefined ? '' : ` ${printable(pgadmin.email.value, 120)}`;
    return `PgAdmin refuses its e-mail address${shown}${problem ? `: ${problem}` : ''}`;
  }
  const names = [
    ...(pgadmin.email.state === 'value' ? [] : ['PGADMIN_DEFAULT_EMAIL']),
    ...(pgadmin.password.state === 'value' ? [] : ['PGADMIN_DEFAULT_PASSWORD']),
  ];
  return `PgAdmin starts without ${names.join(' and ') || 'its credentials'}`;
}

function configEvidence(id: PgadminCauseId, object: ObjectRef, pgadmin: PgadminFacts): Evidence[] {
  const setting = (name: string, s: SettingFacts): Evidence => ({
    object: s.from && s.state === 'missing' ? { apiVersion: 'v1', kind: s.source === 'secret' ? 'Secret' : 'ConfigMap', ...namespaceOf(object), name: s.from.name } : object,
    at: s.from && s.state === 'missing' ? `.data.${s.from.key}` : s.at ? pathOf(s.at) : `${pathOf(containerAt(pgadmin))}.env`,
    value: printable(`${name}: ${shownSetting(s)}`, 500),
  });
  if (id === 'pgadmin_invalid_email') return [setting('PGADMIN_DEFAULT_EMAIL', pgadmin.email)];
  if (id === 'pgadmin_missing_credentials') {
    const all = [setting('PGADMIN_DEFAULT_EMAIL', pgadmin.email), setting('PGADMIN_DEFAULT_PASSWORD', pgadmin.password)];
    return all.filter((_, i) => [pgadmin.email, pgadmin.password][i]?.state !== 'value');
  }
  const { data } = pgadmin;
  const volume = data.volume === undefined ? 'no volume is mounted there' : `${data.volume}${data.claim ? ` ${data.claim}` : ''}${data.readOnly ? ', mounted read-only' : ''}`;
  return [
    { object, at: `${pathOf(pgadmin.podSpecAt)}.securityContext.fsGroup`, value: data.fsGroup === undefined ? 'not set' : String(data.fsGroup) },
    { object, at: `${pathOf(containerAt(pgadmin))}.volumeMounts`, value: printable(`/var/lib/pgadmin: ${volume}`, 300) },
  ];
}

function lastExit(pod: PodFacts, pgadmin: PgadminFacts): Evidence[] {
  const container = pod.containers.find((c) => c.name === pgadmin.container);
  const exitCode = container?.last?.exitCode ?? container?.exitCode;
  if (exitCode === undefined) return [];
  return [{ object: pod.ref, at: `.status.containerStatuses[${pgadmin.container}].lastState`, value: `exit code ${exitCode}, ${container?.restarts ?? 0} restarts` }];
}

function shownSetting(s: SettingFacts): string {
  if (s.state === 'missing') return s.from ? `${s.source} ${s.from.name} has no key ${s.from.key}` : s.at ? 'it is empty' : 'it is not set';
  if (s.value !== undefined) return s.value;
  if (s.from) return `from ${s.source} ${s.from.name}, key ${s.from.key}${s.reason ? ` (${s.reason})` : ''}`;
  return s.reason ?? 'it is set elsewhere';
}

/** `/spec/template/spec` → `.spec.template.spec`, indexes in brackets. */
export function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('');
}

/** JSON pointer to PgAdmin's container. */
export const containerAt = (pgadmin: PgadminFacts): string => `${pgadmin.podSpecAt}/containers/${pgadmin.index}`;

function namespaceOf(ref: ObjectRef): { namespace?: string } {
  return ref.namespace === undefined ? {} : { namespace: ref.namespace };
}
