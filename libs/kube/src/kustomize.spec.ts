import { openManifests } from './manifests';
import { aFolder, listAll, removeFolders } from './testing-folder';

afterAll(removeFolders);

const configMap = { apiVersion: 'v1', kind: 'ConfigMap' };
const yaml = (name: string, kind = 'ConfigMap', apiVersion = 'v1') => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n`;

async function opened(files: Record<string, string>) {
  const reader = await openManifests(await aFolder(files));
  const places = (await listAll(reader, configMap)).map((o) => `${o.metadata.namespace}/${o.metadata.name}`);
  return { reader, places, reasons: Object.fromEntries(reader.files().skipped.map((s) => [s.file, s.reason])) };
}

describe('a tree with kustomizations', () => {
  it('puts the namespace of a kustomization on the namespaced objects that it lists, and on no others', async () => {
    const { reader, places, reasons } = await opened({
      'app/kustomization.yaml': 'namespace: web\nresources: [listed.yaml, role.yaml, own.yaml]\n',
      'app/listed.yaml': yaml('listed'),
      'app/own.yaml': `${yaml('own')}  namespace: elsewhere\n`,
      'app/role.yaml': yaml('reader', 'ClusterRole', 'rbac.authorization.k8s.io/v1'),
      'app/unlisted.yaml': yaml('unlisted'),
    });
    expect(places).toEqual(['web/listed', 'web/own', 'default/unlisted']);
    const [role] = await listAll(reader, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' });
    expect(role?.metadata.namespace).toBeUndefined();
    expect(reasons).toEqual({ 'app/kustomization.yaml': 'Kustomize file, not built (namespace web is put on what it lists): kubectl kustomize app renders it' });
  });

  it('lets the outermost overlay decide, through folders that list folders', async () => {
    const { places, reasons } = await opened({
      'base/kustomization.yaml': 'namespace: dev\nresources: [a.yaml]\n',
      'base/a.yaml': yaml('a'),
      'prod/kustomization.yml': 'namespace: prod\nnamePrefix: p-\nimages: [{name: x, newTag: y}]\nresources: [../base, https://example.com/r.yaml, ../../above]\n',
    });
    expect(places).toEqual(['prod/a']);
    expect(reasons['prod/kustomization.yml']).toBe(
      'Kustomize file, not built (namespace prod is put on what it lists; not applied: namePrefix, images; not read: 2 resources from elsewhere): kubectl kustomize prod renders it',
    );
  });

  it('shows a base of two overlays as it stands in its file, and says so with each', async () => {
    const { places, reasons } = await opened({
      'base/kustomization.yaml': 'resources: [a.yaml]\n',
      'base/a.yaml': yaml('a'),
      'prod/kustomization.yaml': 'namespace: prod\nresources: [../base]\n',
      'test/kustomization.yaml': 'namespace: test\nresources: [../base]\n',
    });
    expect(places).toEqual(['default/a']);
    expect(reasons['test/kustomization.yaml']).toContain('namespace test is not put on what another overlay builds on too');
  });

  it('is not led astray by a circle, a namespace that is none, or text that does not parse', async () => {
    const { places, reasons } = await opened({
      'a/kustomization.yaml': 'namespace: one\nresources: [../b, a.yaml]\n',
      'a/a.yaml': yaml('a'),
      'b/kustomization.yaml': 'namespace: two\nresources: [../a]\n',
      'c/Kustomization': 'namespace: "../x"\nresources: [c.yaml]\n',
      'c/c.yaml': yaml('c'),
      'd/kustomization.yaml': 'a: b: c',
    });
    expect(places).toEqual(['default/a', 'default/c']);
    expect(reasons['d/kustomization.yaml']).toBe('Kustomize file, not built: kubectl kustomize d renders it');
  });
});
