import { casesOf, halfOf, world, type EvalCase, type Fault, type Recipe } from '../case';
import { target } from '../cluster/objects';
import { admission } from './admission';
import { databases } from './databases';
import { endings } from './endings';
import { lookAlikes } from './healthy';
import { images } from './images';
import { infrastructure } from './infrastructure';
import { marketFaults } from './market';
import { mounts } from './mounts';
import { pgadminFaults } from './pgadmin';
import { placement } from './placement';
import { policies } from './policies';
import { probes } from './probes';
import { quiet } from './quiet';
import { routing } from './routing';
import { running } from './running';
import { scheduling } from './scheduling';
import { startup } from './startup';
import { traps } from './traps';
import { volumeTraps } from './volume-traps';
import { volumes } from './volumes';
import { wordings } from './wordings';

const faults: Fault[] = [...admission, ...scheduling, ...volumes, ...images, ...startup, ...probes, ...running, ...databases, ...routing, ...infrastructure, ...pgadminFaults, ...traps, ...marketFaults, ...wordings, ...policies, ...placement, ...mounts, ...endings, ...volumeTraps];

/** Two that happen at once, unrelated; both of one half, so that neither gives the other half's case away. */
const together: readonly (readonly [cause: string, other: string])[] = [
  ['missing_config_map', 'service_selector_mismatch'],
  ['cpu_capacity_mismatch', 'oom_killed'],
  ['incorrect_image_reference', 'pgadmin_invalid_email'],
  ['namespace_memory_quota_exceeded', 'liveness_probe_incorrect_port'],
  ['node_selector_mismatch', 'missing_secret_key'],
  ['postgres_invalid_credentials', 'network_policy_blocks'],
  ['readiness_probe_incorrect_path', 'pvc_capacity_mismatch'],
  ['kubelet_unavailable', 'invalid_command'],
  ['node_pressure', 'gateway_misroute'],
  ['db_connection_exhaustion', 'missing_image_pull_secret'],
  ['taint_toleration_mismatch', 'service_port_mapping_mismatch'],
  ['application_error', 'missing_service_account'],
  ['pgadmin_data_not_writable', 'deployment_zero_replicas'],
  ['volume_mount_permission_denied', 'mysql_invalid_port'],
  ['init_container_failed', 'pod_anti_affinity_conflict'],
  ['volume_attached_elsewhere', 'admission_denied'],
  ['host_port_conflict', 'run_as_non_root_violation'],
  ['finalizer_pending', 'limit_range_violation'],
  ['missing_volume_claim', 'job_deadline_exceeded'],
  ['admission_webhook_unavailable', 'mount_type_mismatch'],
];

function pair([cause, other]: readonly [string, string]): EvalCase[] {
  return (['dev', 'held-out'] as const).flatMap((half) => {
    const one = part(cause, half, 0);
    const two = part(other, half, 1);
    if (!one || !two) return [];
    const id = `two-faults/${cause}+${other}@${half}`;
    const expected = [one, two].map((fault) => ({ cause: fault.cause, ...target(fault.at) }));
    return [{ id, class: 'two faults' as const, expected, variant: `${one.at} and ${two.at}`, sources: [...one.sources, ...two.sources], half, build: () => world(id, [[one.at, one.recipe], [two.at, two.recipe]]) }];
  });
}

function part(cause: string, half: string, position: number): { cause: string; at: string; recipe: Recipe; sources: readonly string[] } | undefined {
  const fault = faults.find((one) => one.cause === cause);
  if (!fault) throw new Error(`eval: no cases of ${cause}`);
  const mine = fault.variants.filter(([at]) => halfOf(cause, at) === half);
  const chosen = mine[position % Math.max(1, mine.length)];
  return chosen ? { cause, at: chosen[0], recipe: chosen[2], sources: fault.sources } : undefined;
}

function healthy(): EvalCase[] {
  return [...lookAlikes, ...quiet].map(({ id, what, sources, recipe }) => ({ id, class: 'healthy' as const, expected: [], variant: what, sources, half: halfOf('healthy', id), build: () => world(id, [[id, recipe]]) }));
}

/** Every case, both halves. Building one is deterministic and touches no disk. */
export const cases: readonly EvalCase[] = [...faults.flatMap(casesOf), ...together.flatMap(pair), ...healthy()];
