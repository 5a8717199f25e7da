import path from 'node:path';

/** The four releases; each is installed in the namespace of its own name. */
export const larrys = ['larry-01', 'larry-02', 'larry-03'] as const;
export const meta = 'meta-coordinator';
export const releases = [...larrys, meta] as const;

/** What the operator decided. */
export interface InstallChoices {
  /** Goes before `/larry-01`, as `scripts/images --repository` has it. */
  images: string;
  tag?: string;
  /** The address of a Redis, credentials included; or an image for a small one of the release's own. */
  redisUrl?: string;
  redisImage?: string;
  /** Namespaces where Larry-01 may change what its playbooks declare. */
  writeNamespaces: string[];
  /** Namespaces where Larry-01 may repair what Helm releases own through Helm; he then reads their Secrets. */
  repairHelm: string[];
  modes: string[];
  storageSize?: string;
  storageClass?: string;
  singleNode?: boolean;
  /** Values files of the operator's own, for every release. */
  values: string[];
}

/** A custom resource that the catalog may read. */
export interface CustomResource {
  apiGroup: string;
  resources: string[];
}

const helmFolder = path.join(__dirname, '..', '..', '..', '..', 'helm');

/** A release's chart. */
export const chartOf = (release: string): string => path.join(helmFolder, release);

/** The address of the Redis that the meta-coordinator's release brings along. */
export const ownRedisUrl = (password: string): string => `redis://:${password}@larry-redis.${meta}.svc:6379`;

/** The values of one release. Credentials are not among them: they stand in Secrets. */
export function valuesOf(release: string, choices: InstallChoices, customResources: readonly CustomResource[]): Record<string, unknown> {
  const isMeta = release === meta;
  const storage = { ...(choices.storageSize ? { size: choices.storageSize } : {}), ...(choices.storageClass ? { className: choices.storageClass } : {}) };
  const writes = release === 'larry-01' && choices.writeNamespaces.length > 0;
  const repairs = release === 'larry-01' && choices.repairHelm.length > 0;
  const catalogs = isMeta || release === 'larry-03';
  return {
    image: { repository: `${choices.images}/${release}`, ...(choices.tag ? { tag: choices.tag } : {}) },
    ...((isMeta && choices.modes.some((mode) => mode !== 'observe')) || writes || repairs ? { storage } : {}),
    ...(repairs ? { repair: { helm: { namespaces: choices.repairHelm } } } : {}),
    ...(isMeta ? { modesAllowed: choices.modes } : {}),
    ...(isMeta && choices.redisImage ? { redis: { own: { image: choices.redisImage, ...(choices.storageSize ? { size: choices.storageSize } : {}) } } } : {}),
    ...(writes || (catalogs && customResources.length > 0)
      ? { rbac: { ...(writes ? { writeNamespaces: choices.writeNamespaces } : {}), ...(catalogs ? { customResources } : {}) } }
      : {}),
  };
}

/** helm's arguments for one release. */
export function upgradeArguments(release: string, valuesFile: string, choices: InstallChoices): string[] {
  return [
    'upgrade',
    '--install',
    release,
    chartOf(release),
    '--namespace',
    release,
    ...(choices.singleNode ? ['--values', path.join(chartOf(release), 'values-single-node.yaml')] : []),
    '--values',
    valuesFile,
    ...choices.values.flatMap((file) => ['--values', path.resolve(file)]),
  ];
}
