import { listOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import { decideAt, type FieldChange, type Step } from '../../fix';
import { defineFamily, type Ground, type Hit, type Subject } from '../family';
import { imageName, type ImageName } from './image-name';
import { imageRules } from './rules';

/** An image of one container. */
export interface UsedImage {
  at: string;
  image: string;
  name?: ImageName;
  /** From the object's root; absent for an ephemeral container, which cannot be changed. */
  path?: Step[];
}
interface Used {
  kind: 'used';
  subject: Subject;
  group?: string;
  images: UsedImage[];
}

/** What a name stood for when a pod of it was started. */
interface Running {
  kind: 'running';
  pairs: { image: string; digest: string }[];
}
type Kept = Used | Running;

/** How images are named: a tag that moves, no digest, a registry off the list. */
export const imagePinning = defineFamily<Kept>({
  id: 'image-pinning',
  title: 'Image pinning',
  rules: imageRules,
  reads: [],
  inspect(pod) {
    const containers = pod.onlyEphemeral
      ? pod.containers.filter((c) => c.list === 'ephemeralContainers')
      : pod.containers;
    const images = containers.flatMap((c) => {
      const image = textOf(c.body['image']);
      // Without an image the API refuses a pod; a template may wait for its controller to fill it in.
      if (image === undefined) return [];
      const name = imageName(image);
      const path = c.list === 'ephemeralContainers' ? {} : { path: [...c.path, 'image'] };
      return [{ at: `${c.at}.image`, image, ...(name ? { name } : {}), ...path }];
    });
    return images.length > 0
      ? { kind: 'used', subject: pod.subject(), images, ...(pod.group ? { group: pod.group } : {}) }
      : undefined;
  },
  sift: (object) => (object.kind === 'Pod' ? runningOf(object) : undefined),
  keyOf: (kept) => (kept.kind === 'running' ? JSON.stringify(kept.pairs) : undefined),
  judge: (kept, ground) => {
    const digests = digestsOf(kept);
    return kept.flatMap((k) => (k.kind === 'used' ? hitsOf(k, ground, digests) : []));
  },
});

function hitsOf({ subject, group, images }: Used, ground: Ground, digests: ReadonlyMap<string, string>): Hit[] {
  const about = (rule: string, found: UsedImage[], fix: Hit['fix'] | string): Hit[] => {
    if (found.length === 0) return [];
    const evidence = found.map((i) => ({ at: i.at, value: i.image }));
    return [{ rule, subject, ...(group ? { group } : {}), evidence, fix: typeof fix === 'string' ? decideAt(evidence, fix) : fix }];
  };
  const loose = images.filter((i) => i.name && i.name.digest === undefined);
  const moving = loose.filter((i) => (i.name?.tag ?? 'latest') === 'latest');
  const tagged = loose.filter((i) => (i.name?.tag ?? 'latest') !== 'latest');
  const unreadable = images.filter((i) => !i.name);
  const foreign = images.filter(
    (i) => i.name && ground.registries.length > 0 && !ground.registries.some((r) => comesFrom(i.name, r)),
  );
  const allowed = ground.registries.join(', ');
  return [
    ...about('image/moving-tag', moving, pinned(moving, digests)),
    ...about('image/no-digest', tagged, pinned(tagged, digests)),
    ...about(
      'image/bad-name',
      unreadable,
      'write the name as [registry/]repository[:tag][@digest], lower case',
    ),
    ...about(
      'image/foreign-registry',
      foreign,
      `take it from one of ${allowed}, or add its registry to the option registries`,
    ),
  ];
}

/** What runs now, pinned, where the pods tell exactly one digest for each name. */
function pinned(images: readonly UsedImage[], digests: ReadonlyMap<string, string>): Hit['fix'] | string {
  const changes = images.flatMap(({ image, path }): FieldChange[] => {
    const digest = digests.get(image);
    return digest !== undefined && path !== undefined ? [{ path, value: `${image}@${digest}` }] : [];
  });
  if (changes.length === images.length)
    return { kind: 'fields', changes, note: 'the digest is the one that its pods run now' };
  return 'name a version and add its digest (@sha256:…); what a pod runs stands in its .status.containerStatuses[].imageID';
}

function runningOf(pod: KubeObject): Running | undefined {
  const pairs = [['initContainers', 'initContainerStatuses'], ['containers', 'containerStatuses']].flatMap(([list = '', statuses = '']) =>
    listOf(valueIn(pod, 'spec', list)).flatMap((container) => {
      const status = listOf(valueIn(pod, 'status', statuses)).find((s) => valueIn(s, 'name') === valueIn(container, 'name'));
      const image = textOf(valueIn(container, 'image'));
      const digest = /@(sha256:[0-9a-f]{64})$/.exec(textOf(valueIn(status, 'imageID')) ?? '')?.[1];
      return image !== undefined && digest !== undefined ? [{ image, digest }] : [];
    }),
  ); // prettier-ignore
  return pairs.length > 0 ? { kind: 'running', pairs } : undefined;
}

/** Names for which every pod tells the same digest. */
function digestsOf(kept: readonly Kept[]): Map<string, string> {
  const digests = new Map<string, string>();
  const disputed = new Set<string>();
  for (const { image, digest } of kept.flatMap((k) => (k.kind === 'running' ? k.pairs : []))) {
    if ((digests.get(image) ?? digest) !== digest) disputed.add(image);
    digests.set(image, digest);
  }
  for (const image of disputed) digests.delete(image);
  return digests;
}

/** `ghcr.io` takes everything from there, `ghcr.io/acme` only what is below. */
function comesFrom(name: ImageName | undefined, allowed: string): boolean {
  const full = `${name?.registry}/${name?.repository}`;
  return full === allowed || full.startsWith(`${allowed.replace(/\/+$/, '')}/`);
}
