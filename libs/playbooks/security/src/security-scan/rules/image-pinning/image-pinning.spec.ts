import type { KubeObject } from '@larry/contracts';
import { aDeployment, aPod, memoryCluster } from '@larry/kube/testing';
import { namespace, scan } from '../../__fixtures__/scan';
import { imageNames } from './__fixtures__/names';
import { imageName } from './image-name';

describe('the name of an image', () => {
  it.each(imageNames)('%s', (text, expected) => {
    expect(imageName(text)).toEqual(expected);
  });
});

describe('image pinning', () => {
  const digest = `@sha256:${'ab'.repeat(32)}`;
  const rulesFor = async (image: string, registries: string[] = []) => {
    const workload = aDeployment({
      name: 'app',
      namespace: 'database',
      template: { containers: [{ name: 'app', image }] },
    });
    const { findings } = await scan(memoryCluster([namespace('database'), workload]), { others: true, registries });
    return findings.filter((f) => f.rule.startsWith('image/')).map((f) => f.rule);
  };

  it.each([
    ['nginx', ['image/moving-tag']],
    ['nginx:latest', ['image/moving-tag']],
    ['nginx:1.29', ['image/no-digest']],
    [`nginx:latest${digest}`, []],
    [`nginx${digest}`, []],
    ['{{ .Values.image }}', ['image/bad-name']],
  ])('%s', async (image, expected) => {
    expect(await rulesFor(image)).toEqual(expected);
  });

  it('holds images against the list of registries where there is one', async () => {
    expect(await rulesFor(`ghcr.io/acme/app${digest}`, ['ghcr.io/acme'])).toEqual([]);
    expect(await rulesFor(`ghcr.io/acme-evil/app${digest}`, ['ghcr.io/acme'])).toEqual(['image/foreign-registry']);
    expect(await rulesFor(`ghcr.io/acme/app${digest}`, ['docker.io'])).toEqual(['image/foreign-registry']);
  });

  describe('the remedy', () => {
    const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
    const running = (name: string, digest: string, controller: KubeObject) =>
      aPod({
        name,
        namespace: 'database',
        controller,
        spec: { containers: [{ name: 'app', image: 'nginx:1.29' }] },
        status: { containerStatuses: [{ name: 'app', imageID: `docker.io/library/nginx@${digest}` }] },
      });
    const remedyWith = async (...digests: string[]) => {
      const workload = aDeployment({
        name: 'app',
        namespace: 'database',
        template: { containers: [{ name: 'app', image: 'nginx:1.29' }] },
      });
      const pods = digests.map((digest, i) => running(`app-${i}`, digest, workload));
      const { findings } = await scan(memoryCluster([namespace('database'), workload, ...pods]));
      return findings.find((f) => f.rule === 'image/no-digest')?.remedy;
    };

    it('pins what the pods run', async () => {
      expect(await remedyWith(digestOf('a'), digestOf('a'))).toMatchObject({
        layer: 'patch',
        patch: {
          spec: { template: { spec: { containers: [{ name: 'app', image: `nginx:1.29@${digestOf('a')}` }] } } },
        },
      });
    });

    it.each<[string, string[]]>([
      ['the pods disagree', [digestOf('a'), digestOf('b')]],
      ['nothing runs', []],
      ['the status tells no digest of a registry', ['sha256:short']],
    ])('is a decision where %s', async (_, digests) => {
      expect(await remedyWith(...digests)).toMatchObject({ layer: 'none' });
    });
  });
});
