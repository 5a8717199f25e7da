import { stripControl, type KubeObject } from '@larry/contracts';
import { Declarations } from './declarations';
import { changeManifest, editedText, type WantedStep } from './manifest-change';

const deployment = `# Shop
apiVersion: apps/v1
kind: Deployment
metadata:
    name:   cart        # the cart
    namespace: shop
spec:
    replicas: 2
    template:
        spec:
            containers:
            -   name: cart
                image: "registry.example/cart:2.0"   # pinned
                env:
                - { name: LOG, value: 'debug' }

                - name: DB_PASSWORD
                  value: hunter2hunter2
                - name: PORT
                  value: '8080' # of the probe
                resources:
                    limits: {memory: 1024Mi}
                livenessProbe:
                    httpGet: {path: /healthz, port: 80}
`;

const liveCart = (): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'cart', namespace: 'shop' },
  spec: {
    replicas: 2,
    template: {
      spec: {
        securityContext: {},
        containers: [
          { name: 'istio-proxy', image: 'proxy' },
          {
            name: 'cart',
            image: 'registry.example/cart:2.0',
            env: [{ name: 'PORT', value: '8080' }, { name: 'LOG', value: 'debug' }, { name: 'DB_PASSWORD', value: 'hunter2hunter2' }],
            resources: { limits: { memory: '1Gi' } },
            livenessProbe: { timeoutSeconds: 1, httpGet: { path: '/healthz', port: 80, scheme: 'HTTP' } },
          },
        ],
      },
    },
  },
});

const pod = '/spec/template/spec';
const container = `${pod}/containers/1`;
const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'cart' };

function declarationsOf(texts: Record<string, string>): Declarations {
  return new Declarations({ folder: '/clone', commit: 'a'.repeat(40), texts: new Map(Object.entries(texts)), blobs: new Map(), files: Object.keys(texts) });
}

async function change(texts: Record<string, string>, wanted: WantedStep[], live = liveCart()): Promise<{ text?: string; diff?: string; none?: string; changed: string[] }> {
  const located = declarationsOf(texts).locate(ref);
  if ('none' in located) return { none: located.none, changed: [] };
  const { declaration, patched } = located;
  const text = texts[declaration.file] ?? '';
  const result = await changeManifest(text, declaration, patched, live, wanted);
  // A branch is made of the edits alone.
  if ('edits' in result) expect(await editedText(declaration.file, text, result.edits)).toBe(result.text);
  const lines = 'diff' in result ? result.diff.split('\n').filter((line) => /^[+-](?![+-])/.test(line)) : [];
  return { ...result, changed: lines };
}

describe('a change in a manifest of a repository', () => {
  it('replaces one scalar and leaves comments, quotes, order and spacing as they are', async () => {
    const text = `---\nkind: ConfigMap\n# loose\n--- # two\n${deployment}---\n# end\n`;
    const { changed, diff, text: after } = await change({ 'apps/cart.yaml': text }, [{ op: 'replace', path: `${container}/image`, value: 'registry.example/cart:1.9' }]);
    expect(changed).toEqual(['-                image: "registry.example/cart:2.0"   # pinned', '+                image: "registry.example/cart:1.9"   # pinned']);
    expect(diff).toContain('--- a/apps/cart.yaml\n+++ b/apps/cart.yaml\n@@ ');
    expect(after).toBe(text.replace('cart:2.0', 'cart:1.9'));
  });

  it('finds elements of lists by their names, whatever a webhook has put before them', async () => {
    const { changed } = await change({ 'c.yaml': deployment }, [{ op: 'replace', path: `${container}/env/0/value`, value: '8081' }]);
    expect(changed).toEqual(["-                  value: '8080' # of the probe", "+                  value: '8081' # of the probe"]);
  });

  it('adds a field that stands nowhere yet without reformatting the rest', async () => {
    const { changed } = await change({ 'c.yaml': deployment }, [{ op: 'add', path: `${pod}/securityContext/fsGroup`, value: 5050 }]);
    expect(changed).toEqual(['+            securityContext:', '+                fsGroup: 5050']);
  });

  it('adds an element to a list, and keeps the style of the list', async () => {
    const { changed } = await change({ 'c.yaml': deployment }, [{ op: 'add', path: `${container}/env/-`, value: { name: 'TZ', value: 'no' } }]);
    expect(changed).toEqual(['+                - name: TZ', '+                  value: "no"']);
  });

  it('takes a quantity that the API server writes in its own way for the same', async () => {
    const { changed } = await change({ 'c.yaml': deployment }, [{ op: 'replace', path: `${container}/resources/limits/memory`, value: '2Gi' }]);
    expect(changed).toEqual(['-                    limits: {memory: 1024Mi}', '+                    limits: {memory: 2Gi}']);
  });

  it('removes a field, and nothing that is not there', async () => {
    const removal = (path: string): WantedStep[] => [{ op: 'remove', path }];
    expect((await change({ 'c.yaml': deployment }, removal('/spec/replicas'))).changed).toEqual(['-    replicas: 2']);
    expect((await change({ 'c.yaml': deployment }, removal(`${container}/livenessProbe/timeoutSeconds`))).none).toContain('is not in it, so that it comes from elsewhere');
  });

  it('shows no secret that stands beside the change', async () => {
    const { diff } = await change({ 'c.yaml': deployment }, [{ op: 'replace', path: `${container}/env/1/value`, value: 'info' }]);
    expect(diff).toContain("{ name: LOG, value: 'info' }");
    expect(diff).toContain('name: DB_PASSWORD');
    expect(diff).not.toContain('hunter2');
  });

  it('makes none where a secret of the file stands beside the change under a harmless name', async () => {
    const { none, diff } = await change({ 'c.yaml': deployment.replace("'debug'", 'hunter2hunter2') }, [{ op: 'replace', path: `${container}/image`, value: 'registry.example/cart:1.9' }]);
    expect(none).toContain('a secret value of the file stands beside the change as well');
    expect(diff).toBeUndefined();
  });

  it.each(['\r', '\u2028', '\u2029', '\u0085', '\u009d'])('lets no line of the file pass for another of the diff %#', async (mark) => {
    const forged = `# x${mark}-        image: db:1${mark}+        image: harmless`;
    const { diff = '' } = await change({ 'c.yaml': deployment.replace('# pinned', forged) }, [{ op: 'replace', path: `${container}/image`, value: 'registry.example/cart:1.9' }]);
    expect(stripControl(diff).split('\n').filter((line) => /^[+-](?![+-])/.test(line))).toHaveLength(2);
    expect(stripControl(diff)).toBe(diff);
  });

  it('keeps the line ends of Windows, and a file without one at its end', async () => {
    const windows = deployment.replaceAll('\n', '\r\n');
    const replaced = await change({ 'c.yaml': windows }, [{ op: 'replace', path: `${container}/image`, value: 'x:1' }]);
    expect(replaced.text).toBe(windows.replace('registry.example/cart:2.0', 'x:1'));
    const added = await change({ 'c.yaml': windows }, [{ op: 'add', path: `${pod}/dnsPolicy`, value: 'Default' }]);
    expect(added.text).toBe(`${windows}            dnsPolicy: Default\r\n`);
    const unended = await change({ 'c.yaml': deployment.trimEnd() }, [{ op: 'add', path: `${pod}/dnsPolicy`, value: 'Default' }]);
    expect(unended.text).toBe(`${deployment}            dnsPolicy: Default`);
  });

  it('changes JSON in its own indentation', async () => {
    const json = `${JSON.stringify(liveCart(), null, 4)}\n`;
    const replaced = await change({ 'c.json': json }, [{ op: 'replace', path: `${container}/image`, value: 'x:1' }]);
    expect(replaced.text).toBe(json.replace('registry.example/cart:2.0', 'x:1'));
    const added = await change({ 'c.json': json }, [{ op: 'add', path: `${pod}/dnsPolicy`, value: 'ClusterFirst' }]);
    expect(JSON.parse(added.text ?? '')).toMatchObject({ spec: { template: { spec: { dnsPolicy: 'ClusterFirst' } } } });
  });

  it('changes an element of a List where it stands', async () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n${deployment.replace(/^(?=.)/gm, '    ').replace('    # Shop\n    apiVersion', '  - apiVersion')}`;
    const { changed } = await change({ 'l.yaml': list }, [{ op: 'replace', path: '/spec/replicas', value: 3 }]);
    expect(changed).toEqual(['-        replicas: 2', '+        replicas: 3']);
  });

  it.each([
    ['what runs is not what stands there', deployment.replace('cart:2.0', '${CART_IMAGE}'), 'in the cluster: an overlay or somebody else decides it'],
    ['it is changed already', deployment.replace('cart:2.0', 'cart:1.9'), 'is so already'],
    ['an anchor decides it', deployment.replace('image: "', 'image: &image "').replace("'debug'", '*image'), 'anchor or alias'],
  ])('makes none where %s', async (_, text, why) => {
    const { none } = await change({ 'c.yaml': text }, [{ op: 'replace', path: `${container}/image`, value: 'registry.example/cart:1.9' }]);
    expect(none).toContain(why);
  });
});

describe('where a repository declares an object', () => {
  const without = deployment.replace('    namespace: shop\n', '');
  const kustomization = (namespace: string, resource: string, more = ''): string => `namespace: ${namespace}\nresources: [${resource}]\n${more}`;
  const locate = (texts: Record<string, string>): string => {
    const located = declarationsOf(texts).locate(ref);
    return 'none' in located ? located.none : `${located.declaration.file}:${located.declaration.line}${located.patched ? ' patched' : ''}`;
  };

  it('is file and line, with the namespace of the kustomization that lists it', () => {
    expect(locate({ 'a.yaml': 'a: 1\n', 'c.yaml': `kind: X\n---\n${deployment}` })).toBe('c.yaml:4');
    expect(locate({ 'shop/kustomization.yaml': kustomization('shop', 'c.yaml'), 'shop/c.yaml': without })).toBe('shop/c.yaml:2');
    expect(locate({ 'shop/kustomization.yaml': kustomization('other', 'c.yaml'), 'shop/c.yaml': without })).toContain('only one of that name in another namespace');
  });

  it('takes a missing namespace for any, where nothing else fits better', () => {
    expect(locate({ 'c.yaml': without })).toBe('c.yaml:2');
    expect(locate({ 'b.yaml': without, 'c.yaml': deployment })).toBe('c.yaml:2');
  });

  it('takes hostile names, nesting and aliases for nothing', () => {
    const bomb = `cart: &a [${'x,'.repeat(20)}x]\n${Array.from({ length: 9 }, (_, i) => `b${i}: &b${i} [${`*${i === 0 ? 'a' : `b${i - 1}`},`.repeat(9)}]`).join('\n')}\n`;
    expect(locate({ 'bomb.yaml': bomb, 'deep.yaml': `cart: ${'['.repeat(20_000)}`, 'proto.yaml': 'kind: __proto__\napiVersion: v1\nmetadata: {name: cart}\n', 'c.yaml': deployment })).toBe('c.yaml:2');
  });

  it('is not guessed where there are several, or none', () => {
    expect(locate({ 'prod/c.yaml': deployment, 'test/c.yaml': deployment })).toContain('declares Deployment shop/cart 2 times: prod/c.yaml:2, test/c.yaml:2');
    expect(locate({ 'c.yaml': deployment.replace('name:   cart', 'name: basket') })).toContain('declares no Deployment shop/cart');
    expect(locate({ 'c.yaml': 'kind: [', 'chart/Chart.yaml': 'name: c', 'chart/templates/c.yaml': `${deployment}# {{ .Values.x }}` })).toContain('declares no');
  });

  it('refuses the base of overlays that differ, and tells what Kustomize changes', () => {
    const base = { 'base/kustomization.yaml': 'resources: [c.yaml]\n', 'base/c.yaml': without };
    const overlay = kustomization('shop', '../base');
    expect(locate({ ...base, 'prod/kustomization.yaml': overlay, 'test/kustomization.yaml': kustomization('test', '../base') })).toContain('is the base of 2 overlays');
    expect(locate({ ...base, 'prod/kustomization.yaml': overlay, 'test/kustomization.yaml': overlay })).toContain('base/c.yaml:2 is the base of 2 overlays (prod, test)');
    expect(locate({ ...base, 'prod/kustomization.yaml': overlay })).toBe('base/c.yaml:2');
    expect(locate({ ...base, 'prod/kustomization.yaml': kustomization('shop', '../base', 'images: [{name: x, newTag: y}]\n') })).toBe('base/c.yaml:2 patched');
  });

  it('adds no field that a patch of Kustomize may already give', async () => {
    const texts = { 'kustomization.yaml': kustomization('shop', 'c.yaml', 'patches: [{path: p.yaml}]\n'), 'c.yaml': without, 'p.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart}\nspec: {}\n' };
    const { none } = await change(texts, [{ op: 'replace', path: `${container}/livenessProbe/timeoutSeconds`, value: 5 }]);
    expect(none).toContain('Kustomize changes what it declares');
  });
});

describe('a change of values that a HelmRelease or a HelmChart declares', () => {
  const chart = (content: string): string => `apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata:
  name: shop
  namespace: kube-system
spec:
  targetNamespace: web
  valuesContent: ${content}
  set:
    replicas: "2"   # of spring
`;
  const block = `|-   # values
      # of the shop
      image:
          tag:   "2.0"  # pinned

      dbPassword: hunter2hunter2
      args: # of the shop
      - --fast
      env: [{name: LOG, value: debug}]`;
  const values = { image: { tag: '2.0' }, dbPassword: 'hunter2hunter2', args: ['--fast'], env: [{ name: 'LOG', value: 'debug' }] };
  const object = { apiVersion: 'helm.cattle.io/v1', kind: 'HelmChart', namespace: 'kube-system', name: 'shop' };
  const live = (valuesContent?: string): KubeObject => ({ ...object, metadata: object, spec: { targetNamespace: 'web', ...(valuesContent === undefined ? {} : { valuesContent }), set: { replicas: '2' } } });
  const running = live(JSON.stringify(values));
  const tag: WantedStep = { op: 'replace', path: '/spec/valuesContent/image/tag', value: '1.9' };

  async function changed(text: string, wanted: WantedStep[], object: KubeObject, file = 'clusters/shop.yaml') {
    const located = declarationsOf({ [file]: text }).locate({ apiVersion: object.apiVersion, kind: object.kind, name: 'shop', namespace: 'kube-system' });
    if ('none' in located) throw new Error(located.none);
    const result = await changeManifest(text, located.declaration, located.patched, object, wanted);
    if ('edits' in result) expect(await editedText(located.declaration.file, text, result.edits)).toBe(result.text);
    return 'text' in result ? result : { text: undefined, diff: undefined, ...result };
  }

  it('replaces one value inside a block, leaves every other byte as it is, and shows no secret beside it', async () => {
    const text = chart(block);
    const { text: after, diff } = await changed(text, [tag], running);
    expect(after).toBe(text.replace('"2.0"', '"1.9"'));
    expect(diff).toContain('-          tag:   "2.0"  # pinned\n+          tag:   "1.9"  # pinned');
    expect(diff).not.toContain('hunter2');
  });

  it.each<[string, WantedStep[], string, string]>([
    ['a key', [{ op: 'add', path: '/spec/valuesContent/image/pullPolicy', value: 'Always' }], '"2.0"  # pinned\n', '"2.0"  # pinned\n          pullPolicy: Always\n'],
    ['a map', [{ op: 'add', path: '/spec/valuesContent/resources/limits/memory', value: '64Mi' }], 'debug}]', 'debug}]\n      resources:\n        limits:\n          memory: 64Mi'],
    ['an element', [{ op: 'add', path: '/spec/valuesContent/args/-', value: '--safe' }], '- --fast\n', '- --fast\n      - --safe\n'],
    ['two values', [tag, { op: 'replace', path: '/spec/valuesContent/env/0/value', value: 'info' }], 'x', 'x'],
  ])('adds %s inside a block', async (_, wanted, before, after) => {
    const text = chart(block);
    const expected = wanted.length === 2 ? text.replace('"2.0"', '"1.9"').replace('debug', 'info') : text.replace(before, after);
    expect((await changed(text, wanted, running)).text).toBe(expected);
  });

  it('changes values in quotes, in JSON, in `set`, and those of a HelmRelease', async () => {
    const quoted = chart(JSON.stringify('image:\n  tag: 2.0.1\n'));
    expect((await changed(quoted, [tag], live('image: {tag: 2.0.1}'))).text).toBe(quoted.replace('2.0.1', '\\"1.9\\"'));
    expect((await changed(chart(block), [{ op: 'replace', path: '/spec/set/replicas', value: '3' }], running)).text).toBe(chart(block).replace('"2"', '"3"'));
    const release = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', metadata: { name: 'shop', namespace: 'kube-system' }, spec: { values: { image: { tag: '2.0' } } } };
    const text = 'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop, namespace: kube-system}\nspec:\n  values:\n    image:\n      tag: "2.0" # {"$imagepolicy": "x:y:tag"}\n';
    expect((await changed(text, [{ ...tag, path: '/spec/values/image/tag' }], release)).text).toBe(text.replace('"2.0"', '"1.9"'));
  });

  it('gives a HelmChart without values some', async () => {
    const text = chart('').replace('  valuesContent: \n', '');
    const { text: after } = await changed(text, [{ op: 'add', path: '/spec/valuesContent', value: 'image:\n  tag: "1.9"\n' }], live());
    expect(after).toBe(text.replace('spring\n', 'spring\n  valuesContent: |\n    image:\n      tag: "1.9"\n'));
  });

  it.each<[string, string, KubeObject, string]>([
    ['the text has another value than what runs', chart(block), live('image: {tag: "3.0"}'), 'is 2.0 there and 3.0 in the cluster'],
    ['the file has no such text', chart('').replace('  valuesContent: \n', ''), running, 'comes from elsewhere'],
    ['the text is no YAML', chart("'a: b: c'"), running, 'is not the YAML of one map'],
    ['the file is encrypted', `${chart(block)}sops:\n  mac: ENC[AES256_GCM,data:x]\n`, running, 'encrypted with SOPS'],
    ['the text is folded', chart('>\n    image: {tag: "2.0"}\n'), live('image: {tag: "2.0"}'), 'is a folded text'],
  ])('is refused where %s', async (_, text, object, why) => {
    const result = await changed(text, [tag], object);
    expect('none' in result && result.none).toContain(why);
  });
});
