import type { KubeObject } from '@larry/contracts';
import { aConfigMap, aNode, anObject, aWorkload, crashed, diagnosed, told, type ContainerParts, type WorkloadParts } from '../testing';
import { pgadminSays } from './says';

const image = 'dpage/pgadmin4:8.14';
const denied = 'ERROR  : Failed to create the directory /var/lib/pgadmin/sessions:';
const onData = (source: Record<string, unknown>): WorkloadParts => ({ podSpec: { volumes: [{ name: 'data', ...source }] } });
const mounts = [{ name: 'data', mountPath: '/var/lib/pgadmin' }];

function pgadmin(container: ContainerParts, lines: string[], parts: WorkloadParts = {}, extra: KubeObject[] = []) {
  const objects = aWorkload('web', { ...parts, containers: [{ name: 'pgadmin', ...container, spec: { image, volumeMounts: mounts, ...container.spec } }] });
  return diagnosed([aNode(), ...objects, ...extra], { logs: { 'shop/web-aaaaa-0/pgadmin': lines } });
}

describe('a PgAdmin that is ready because nobody asks it', () => {
  const parts = onData({ hostPath: { path: '/srv/pgadmin' } });

  it('is not well while it goes on saying that it cannot write', async () => {
    const findings = await pgadmin({}, ['listening', denied, 'retry', denied], parts);
    expect(told(findings)).toEqual(['pgadmin_data_not_writable Deployment shop/web']);
    expect(JSON.stringify(findings[0]?.remedy)).toContain('does not apply fsGroup to a hostPath');
  });

  it('is well when that is long ago', async () => {
    expect(await pgadmin({}, [denied, denied, ...Array.from({ length: 30 }, (_, i) => `GET /misc/ping ${i} 200`)], parts)).toEqual([]);
  });
});

describe('remedies that would not help', () => {
  const claimed = onData({ persistentVolumeClaim: { claimName: 'data' } });
  const claim = anObject('v1', 'PersistentVolumeClaim', { name: 'data', namespace: 'shop', spec: { volumeName: 'pv-1' }, status: { phase: 'Bound' } });
  const volume = (source: Record<string, unknown>) => anObject('v1', 'PersistentVolume', { name: 'pv-1', spec: source, status: { phase: 'Bound' } }, false);

  it.each([
    [{ hostPath: { path: '/srv' } }, 'none'],
    [{ nfs: { server: 'nas', path: '/x' } }, 'none'],
    [{ csi: { driver: 'driver.longhorn.io' } }, 'patch'],
  ])('an fsGroup for a claim whose volume is %j: %s', async (source, layer) => {
    const [finding] = await pgadmin(crashed(1), ["PermissionError: [Errno 13] Permission denied: '/var/lib/pgadmin/sessions'"], claimed, [claim, volume(source)]);
    expect([finding?.cause, finding?.remedy.layer]).toEqual(['pgadmin_data_not_writable', layer]);
  });

  it('a capability for a container that may gain none', async () => {
    const [finding] = await pgadmin(crashed(1, { spec: { image, securityContext: { allowPrivilegeEscalation: false } } }), ["[ERROR] Can't connect to ('::', 80)"]);
    expect([finding?.cause, finding?.remedy.layer]).toEqual(['pgadmin_privileged_port', 'none']);
    expect(JSON.stringify(finding?.remedy)).toContain('PGADMIN_LISTEN_PORT');
  });
});

describe('texts that somebody made to hold Larry up', () => {
  it('cost what their length costs', async () => {
    const line = 'bind 1,'.repeat(600);
    const blanks = `proxy_pass http://x;\nserver${' '.repeat(60_000)}!\n`;
    const started = performance.now();
    for (const patterns of Object.values(pgadminSays)) for (const pattern of patterns) pattern.exec(line);
    await pgadmin(crashed(1), Array.from({ length: 30 }, () => line), {}, [aConfigMap({ name: 'routes', namespace: 'shop', data: { a: blanks, b: blanks, c: 'proxy_pass x; upstream a {'.repeat(2_400) } })]);
    // Seconds to minutes before; some tens of milliseconds now.
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
