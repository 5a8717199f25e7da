import { textOf } from '@larry/contracts';
import { defineFamily, type Ground, type Hit, type Subject } from '../family';
import { imageName, type ImageName } from './image-name';
import { imageRules } from './rules';

/** An image of one container. */
export interface UsedImage {
  at: string;
  image: string;
  name?: ImageName;
}
interface Kept {
  subject: Subject;
  group?: string;
  images: UsedImage[];
}

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
      return [{ at: `${c.at}.image`, image, ...(name ? { name } : {}) }];
    });
    return images.length > 0
      ? { subject: pod.subject(), images, ...(pod.group ? { group: pod.group } : {}) }
      : undefined;
  },
  judge: (kept, ground) => kept.flatMap((k) => hitsOf(k, ground)),
});

function hitsOf({ subject, group, images }: Kept, ground: Ground): Hit[] {
  const about = (rule: string, found: UsedImage[], reason: string): Hit[] =>
    found.length === 0
      ? []
      : [
          {
            rule,
            subject,
            ...(group ? { group } : {}),
            evidence: found.map((i) => ({ at: i.at, value: i.image })),
            fix: { kind: 'decide', reason },
          },
        ];
  const moving = images.filter((i) => i.name && i.name.digest === undefined && (i.name.tag ?? 'latest') === 'latest');
  const tagged = images.filter((i) => i.name && i.name.digest === undefined && (i.name.tag ?? 'latest') !== 'latest');
  const foreign = images.filter(
    (i) => i.name && ground.registries.length > 0 && !ground.registries.some((r) => comesFrom(i.name, r)),
  );
  return [
    ...about(
      'image/moving-tag',
      moving,
      'name the version that runs now; the digest that runs stands in .status.containerStatuses[].imageID of its pods',
    ),
    ...about(
      'image/no-digest',
      tagged,
      'add @sha256:… after the tag; the digest that runs stands in .status.containerStatuses[].imageID of its pods',
    ),
    ...about(
      'image/bad-name',
      images.filter((i) => !i.name),
      'write the name as [registry/]repository[:tag][@digest], lower case',
    ),
    ...about(
      'image/foreign-registry',
      foreign,
      `take it from one of ${ground.registries.join(', ')}, or add its registry to the option registries`,
    ),
  ];
}

/** `ghcr.io` takes everything from there, `ghcr.io/acme` only what is below. */
function comesFrom(name: ImageName | undefined, allowed: string): boolean {
  const full = `${name?.registry}/${name?.repository}`;
  return full === allowed || full.startsWith(`${allowed.replace(/\/+$/, '')}/`);
}
