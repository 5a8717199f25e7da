import { aDeployment, memoryCluster } from '@larry/kube/testing';
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
});
