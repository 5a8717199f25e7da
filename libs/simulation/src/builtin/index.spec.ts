import { gunzipSync } from 'node:zlib';
import type { KubeObject } from '@larry/contracts';
import { builtinCluster } from '.';
import { behaviourOf } from '../cluster';

const now = new Date('2026-11-22T10:00:00Z');
const objects = builtinCluster(now);
const templates = objects.flatMap((object) => {
  const spec = object.spec as { template?: { spec: PodSpec }; jobTemplate?: { spec: { template: { spec: PodSpec } } } } | undefined;
  return spec?.template?.spec ?? spec?.jobTemplate?.spec.template.spec ?? [];
});
interface PodSpec {
  containers: { image: string; volumeMounts?: { name: string; mountPath: string }[] }[];
  volumes?: { name: string; configMap?: { name: string }; secret?: { secretName: string }; persistentVolumeClaim?: { claimName: string } }[];
}

function release(secret: KubeObject): { name: string; version: number; info: { status: string }; manifest: string } {
  const data = (secret.data as { release: string }).release;
  return JSON.parse(gunzipSync(Buffer.from(Buffer.from(data, 'base64').toString(), 'base64')).toString());
}

describe('the built-in cluster', () => {
  it('has at least 150 objects, none twice', () => {
    const keys = objects.map((object) => `${object.apiVersion}/${object.kind}/${object.metadata.namespace}/${object.metadata.name}`);
    expect(keys.length).toBeGreaterThanOrEqual(150);
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
  });

  it('has the nodes and namespaces of the quick start, and says that it is simulated', () => {
    const names = (kind: string) => objects.filter((object) => object.kind === kind).map((object) => object.metadata.name);
    expect(names('Node')).toEqual(['k3s-master01', 'k3s-master02', 'k3s-master03', 'k3s-worker01', 'k3s-worker02', 'k3s-worker03', 'k3s-worker04']);
    expect(names('Namespace')).toEqual(expect.arrayContaining(['database', 'monitoring', 'n8n', 'ingress', 'ai-agents', 'redis-ha', 'storage', 'larry-01', 'larry-02', 'larry-03']));
    expect(objects.filter((object) => object.kind === 'Node').every((node) => node.metadata.labels?.['larry.dev/simulated'] === 'true')).toBe(true);
    expect(names('ConfigMap')).toContain('larry-simulation');
  });

  it('uses only images whose behaviour is known', () => {
    const images = templates.flatMap((spec) => spec.containers.map((container) => container.image));
    expect(images.filter((image) => !behaviourOf(image))).toEqual([]);
  });

  it('has three PostgreSQL instances', () => {
    const images = templates.flatMap((spec) => spec.containers.map((container) => container.image));
    expect(images.filter((image) => /(^|\/)(postgres|postgresql|pgvector):/.test(image))).toHaveLength(3);
  });

  it('mounts no volume that it does not declare, and names none twice', () => {
    for (const spec of templates) {
      const names = (spec.volumes ?? []).map((volume) => volume.name);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('gives PgAdmin to nobody but kubectl, with the address that its entrypoint refuses', () => {
    const pgadmin = objects.find((object) => object.kind === 'Deployment' && object.metadata.name === 'pgadmin');
    expect(pgadmin?.metadata.labels).not.toHaveProperty(['app.kubernetes.io/managed-by']);
    expect(pgadmin?.metadata.managedFields).toMatchObject([{ manager: 'kubectl-client-side-apply', operation: 'Update' }]);
    expect(JSON.stringify(pgadmin?.spec)).toContain('admin@pgadmin.local');
  });

  it('keeps Helm releases as Helm does, with a superseded and a failed revision', () => {
    const releases = objects.filter((object) => object.type === 'helm.sh/release.v1').map(release);
    expect(releases.filter((each) => each.name === 'postgresql').map((each) => each.info.status)).toEqual(['superseded', 'failed', 'deployed']);
    expect(releases.every((each) => each.manifest.includes('# Source:'))).toBe(true);
  });

  it('marks what a release owns as applied by helm, so that its next upgrade finds no conflict', () => {
    const owned = objects.filter((object) => object.metadata.annotations?.['meta.helm.sh/release-name']);
    expect(owned.length).toBeGreaterThan(40);
    expect(owned.filter((object) => (object.metadata.managedFields?.[0] as { operation: string } | undefined)?.operation !== 'Apply')).toEqual([]);
  });
});
