import { parseImage, type ImageBehaviour } from './behaviour';
import { nginxImages } from './nginx';
import { pgadmin } from './pgadmin';
import { bitnamiPostgres, postgres } from './postgres';
import { helmJob, services } from './services';
import { shell } from './shell';

const table = new Map<string, ImageBehaviour>();
for (const image of [pgadmin, postgres, bitnamiPostgres, shell, helmJob, ...nginxImages, ...services]) {
  for (const repository of image.repositories) table.set(repository, image);
}

/** What is known of an image, whatever its registry and tag; undefined: nothing, so it must not be run. */
export function behaviourOf(image: string): ImageBehaviour | undefined {
  const name = parseImage(image);
  return name && table.get(name.repository);
}

/** The repositories whose behaviour is known, sorted. */
export function knownImages(): string[] {
  return [...table.keys()].sort();
}

export * from './behaviour';
export * from './registries';
