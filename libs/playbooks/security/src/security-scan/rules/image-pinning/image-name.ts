/** The parts of an image's name. */
export interface ImageName {
  /** `docker.io` where none is named. */
  registry: string;
  repository: string;
  tag?: string;
  digest?: string;
}

const repositoryForm = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/;
const registryForm = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?$/;
const tagForm = /^\w[\w.-]{0,127}$/;
const digestForm = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;

/** Reads an image's name by the grammar of the OCI distribution specification; undefined when it is none. */
export function imageName(text: string): ImageName | undefined {
  if (text.length > 512) return undefined;
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !digestForm.test(digest))) return undefined;
  const slash = named.indexOf('/');
  const first = named.slice(0, Math.max(0, slash));
  // The first part is a registry when it looks like a host (moby's reference rules).
  const hosted = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || /[A-Z]/.test(first));
  const rest = hosted ? named.slice(slash + 1) : named;
  const colon = rest.lastIndexOf(':');
  const repository = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (
    !repositoryForm.test(repository) ||
    (tag !== undefined && !tagForm.test(tag)) ||
    (hosted && !registryForm.test(first))
  )
    return undefined;
  return {
    registry: hosted ? first : 'docker.io',
    repository: hosted || repository.includes('/') ? repository : `library/${repository}`,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}
