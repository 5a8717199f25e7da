import { plannedChangeSchema, type Finding, type PlannedChange } from '@larry/contracts';
import { hiddenFault, nextChange } from './hidden-fault';
import { plannedFor } from './plan-change';

const pod = '/spec/template/spec';
const container = `${pod}/containers/0`;
const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
/** Where the remedy of a cause changes something. */
const at: Record<string, string> = {
  pgadmin_invalid_email: `${container}/env/0/value`,
  pgadmin_data_not_writable: `${pod}/securityContext/fsGroup`,
  pgadmin_privileged_port: `${container}/securityContext/capabilities/add`,
  incorrect_image_reference: `${container}/image`,
  missing_config_map: `${container}/envFrom/0/configMapRef/name`,
  missing_secret_key: `${container}/env/1/valueFrom/secretKeyRef/key`,
  oom_killed: `${container}/resources/limits/memory`,
  liveness_probe_incorrect_port: `${container}/livenessProbe/httpGet/port`,
  liveness_probe_incorrect_path: `${container}/livenessProbe/httpGet/path`,
  readiness_probe_incorrect_port: `${container}/readinessProbe/httpGet/port`,
  service_env_var_address_mismatch: `${container}/env/2/value`,
  postgres_invalid_port: `${container}/env/3/value`,
  read_only_file_system: `${pod}/volumes/-`,
  volume_mount_permission_denied: `${pod}/securityContext/fsGroup`,
  taint_toleration_mismatch: `${pod}/tolerations/-`,
  deployment_zero_replicas: '/spec/replicas',
};

function aFinding(cause: string, path = at[cause] ?? '/metadata/none'): Finding {
  return {
    id: cause, rule: cause, task: 't', severity: 'high', title: 'something is wrong', object, owner: { kind: 'none' }, confidence: 0.95, references: [], also: [], evidence: [{ object, at: '.', value: 'x' }],
    remedy: { layer: 'patch', target: object, patchType: 'json', patch: [{ op: 'replace', path, value: 'new' }], command: 'kubectl patch', note: 'Set it right' },
  };
}

function made(cause: string, path?: string): PlannedChange {
  const planned = plannedFor(aFinding(cause, path));
  if (!('change' in planned)) throw new Error(planned.refused);
  return planned.change;
}

/** The cause that is mended next, or why there is none. */
function after(mended: string[], found: Finding[]): string {
  const next = nextChange(found, mended.map((cause) => made(cause)));
  return 'change' in next ? plannedChangeSchema.parse(next.change).step : next.none;
}

describe('a fault that comes to light after a change', () => {
  it.each([
    ['PgAdmin stops at its e-mail, before it opens its data', ['pgadmin_invalid_email'], 'pgadmin_data_not_writable'],
    ['nothing is probed that has no image', ['incorrect_image_reference'], 'readiness_probe_incorrect_port'],
    ['nothing asks a database that has no configuration', ['missing_config_map'], 'readiness_probe_incorrect_port'],
    ['a pod without a node pulls nothing', ['taint_toleration_mismatch'], 'incorrect_image_reference'],
    ['no pod, no fault', ['deployment_zero_replicas'], 'taint_toleration_mismatch'],
    ['a pod that is killed by one probe', ['liveness_probe_incorrect_port'], 'readiness_probe_incorrect_port'],
    ['what ran out of memory late', ['liveness_probe_incorrect_port'], 'oom_killed'],
    ['a third', ['pgadmin_invalid_email', 'pgadmin_data_not_writable'], 'pgadmin_privileged_port'],
  ])('was hidden, and gets a change of its own: %s', (_, mended, cause) => {
    expect(after(mended, [aFinding(cause)])).toMatch(new RegExp(`^${cause.replaceAll('_', '-')}-`));
  });

  it.each([
    ['the cause itself', ['pgadmin_invalid_email'], 'pgadmin_invalid_email', /still there/],
    ['the image that was set cannot be had either', ['incorrect_image_reference'], 'incorrect_image_reference', /still there/],
    ['an image of a registry that lets nobody in', ['incorrect_image_reference'], 'missing_image_pull_secret', /may come from the change/],
    ['no node has the memory that the limit was raised to', ['oom_killed'], 'memory_capacity_mismatch', /comes from the change: its pods had been past that/],
    ['no quota has it', ['oom_killed'], 'namespace_memory_quota_exceeded', /had been past that/],
    ['an image that was in order before', ['readiness_probe_incorrect_port'], 'incorrect_image_reference', /had been past that/],
    ['the same probe is refused at the port that was set', ['liveness_probe_incorrect_port'], 'liveness_probe_incorrect_path', /may come from the change/],
    ['another address, another refusal', ['service_env_var_address_mismatch'], 'postgres_invalid_port', /may come from the change/],
    ['another ConfigMap, other keys', ['missing_config_map'], 'missing_secret_key', /may come from the change/],
    ['a folder that cannot be written either', ['read_only_file_system'], 'volume_mount_permission_denied', /may come from the change/],
    ['the first of two again', ['pgadmin_invalid_email', 'pgadmin_data_not_writable'], 'pgadmin_invalid_email', /still there/],
    ['nothing that is known', ['pgadmin_invalid_email'], 'unknown', /nothing closer than unknown is known/],
    ['nothing that could be mended', ['incorrect_image_reference'], 'application_error', /nothing closer than application_error/],
  ])('is put down to the change, which is taken back: %s', (_, mended, cause, reason) => {
    expect(after(mended, [aFinding(cause)])).toMatch(reason);
  });

  it('is put down to the change where it is about the same field, whatever the cause', () => {
    expect(nextChange([aFinding('postgres_invalid_port', `${container}/env/0/value`)], [made('pgadmin_invalid_email')])).toEqual({ none: 'postgres_invalid_port is about what was changed before' });
    expect(nextChange([aFinding('pgadmin_data_not_writable')], [{ ...made('pgadmin_invalid_email'), patch: [] }])).toMatchObject({ none: expect.stringContaining('cannot be told') as string });
  });

  it('is no reason to go on while the cause is still there beside it, and none of another object is', () => {
    expect(after(['pgadmin_invalid_email'], [aFinding('pgadmin_data_not_writable'), aFinding('pgadmin_invalid_email')])).toMatch(/still there/);
    expect(after(['pgadmin_invalid_email'], [{ ...aFinding('pgadmin_data_not_writable'), object: { ...object, name: 'other' } }])).toMatch(/no other cause is known/);
    expect(hiddenFault([{ step: 'of-another-version' }], [{ cause: 'oom_killed' }])).toEqual({ none: 'what was mended before is not known' });
  });

  it('is left to people where its change is, and the person who is asked is told what a denial takes back', () => {
    expect(after(['pgadmin_invalid_email'], [{ ...aFinding('pgadmin_data_not_writable'), confidence: 0.5 }])).toMatch(/50 % sure/);
    const next = nextChange([aFinding('pgadmin_data_not_writable')], [made('pgadmin_invalid_email')]);
    expect('change' in next && next.change.summary).toBe('Set it right, in Deployment shop/web (found once another change of it had helped; denied, that is taken back)');
  });

  it('is told apart in the values of a Helm release as well', () => {
    const upgrade = (cause: string, revision: number, of = object.name): PlannedChange => ({ ...made(cause), patch: undefined, verb: 'helm-upgrade', category: 'helm-value', helm: { release: 'r', namespace: 'shop', revision, set: [{ path: ['x'], value: 1 }], rendered: [{ object: `Deployment shop/${of}`, path: at[cause] ?? '', before: 1, after: 2 }] } });
    expect(nextChange([aFinding('pgadmin_data_not_writable')], [upgrade('pgadmin_invalid_email', 3)])).toHaveProperty('change');
    expect(nextChange([aFinding('postgres_invalid_port', at['pgadmin_invalid_email'])], [upgrade('pgadmin_invalid_email', 3)])).toHaveProperty('none');
  });
});
