import { listOf, numberOf, printable, recordOf, textOf, valueIn, type KubeObject, type ObjectRef } from '@larry/contracts';
import type { DataFacts, PgadminFacts, SettingFacts } from './facts';

const dataDirectory = '/var/lib/pgadmin';

/** Reads the keys of a Secret or ConfigMap; values of ConfigMaps only. */
export type KeyReader = (kind: 'Secret' | 'ConfigMap', name: string) => Promise<KeysFacts>;
export type KeysFacts = { known: true; keys: string[]; values: Record<string, string> } | { known: false; reason: string };

/** Where a workload holds its pod's spec. */
export function podSpecPath(ref: Pick<ObjectRef, 'kind'>): string[] {
  return ref.kind === 'Pod' ? ['spec'] : ['spec', 'template', 'spec'];
}

/** The place of PgAdmin's container in a pod's spec, or undefined: by the image `pgadmin4`, or by the variable of its entrypoint. */
export function pgadminIndex(podSpec: unknown): number | undefined {
  const index = listOf(valueIn(podSpec, 'containers')).findIndex((c) => {
    const image = textOf(valueIn(c, 'image')) ?? '';
    return /(?:^|\/)pgadmin4(?:[:@]|$)/.test(image) || listOf(valueIn(c, 'env')).some((e) => valueIn(e, 'name') === 'PGADMIN_DEFAULT_EMAIL');
  });
  return index < 0 ? undefined : index;
}

/** What PgAdmin's entrypoint will find, or undefined when the object runs no PgAdmin. */
export async function pgadminFacts(object: KubeObject, keysOf: KeyReader): Promise<PgadminFacts | undefined> {
  const path = podSpecPath(object);
  const podSpec = valueIn(object, ...path);
  const index = pgadminIndex(podSpec);
  if (index === undefined) return undefined;
  const container = recordOf(valueIn(podSpec, 'containers', index));
  const podSpecAt = `/${path.join('/')}`;
  const containerAt = `${podSpecAt}/containers/${index}`;
  const setting = (name: string) => settingFacts(container, containerAt, name, keysOf);
  const [password, passwordFile] = [await setting('PGADMIN_DEFAULT_PASSWORD'), await setting('PGADMIN_DEFAULT_PASSWORD_FILE')];
  const allowed = (await setting('PGADMIN_CONFIG_ALLOW_SPECIAL_EMAIL_DOMAINS')).value;
  return {
    container: textOf(container['name']) ?? '',
    image: printable(container['image'] ?? ''),
    podSpecAt,
    index,
    email: await setting('PGADMIN_DEFAULT_EMAIL'),
    password: withoutValue(password.state === 'missing' && passwordFile.state !== 'missing' ? passwordFile : password),
    ...(allowed === undefined ? {} : { allowedDomains: allowed }),
    externalDatabase: (await setting('PGADMIN_CONFIG_CONFIG_DATABASE_URI')).state !== 'missing',
    data: dataFacts(podSpec, container),
  };
}

function withoutValue({ value: _, ...setting }: SettingFacts): SettingFacts {
  return setting;
}

/** Kubernetes' order: `envFrom` from first to last, then `env`, where the last entry of a name wins. */
async function settingFacts(container: unknown, containerAt: string, name: string, keysOf: KeyReader): Promise<SettingFacts> {
  const env = listOf(valueIn(container, 'env'));
  const index = env.findLastIndex((e) => valueIn(e, 'name') === name);
  if (index >= 0) return entryFacts(env[index], `${containerAt}/env/${index}`, keysOf);
  let unreadable: SettingFacts | undefined;
  for (const from of listOf(valueIn(container, 'envFrom')).toReversed()) {
    const prefix = textOf(valueIn(from, 'prefix')) ?? '';
    if (!name.startsWith(prefix)) continue;
    const found = await sourceFacts(from, 'secretRef', 'configMapRef', name.slice(prefix.length), keysOf);
    if (found?.state === 'value') return found;
    if (found?.state === 'unknown') unreadable ??= found;
  }
  return unreadable ?? { state: 'missing', source: 'none' };
}

async function entryFacts(entry: unknown, at: string, keysOf: KeyReader): Promise<SettingFacts> {
  const valueFrom = valueIn(entry, 'valueFrom');
  if (valueFrom === undefined) {
    const value = textOf(valueIn(entry, 'value'));
    if (value === undefined) return { state: 'missing', source: 'literal', at };
    if (/\$\([A-Za-z_]/.test(value)) return { state: 'unknown', source: 'literal', at, reason: 'it refers to other variables' };
    return { state: 'value', source: 'literal', value, at };
  }
  const key = textOf(valueIn(valueFrom, 'secretKeyRef', 'key')) ?? textOf(valueIn(valueFrom, 'configMapKeyRef', 'key'));
  const found = key === undefined ? undefined : await sourceFacts(valueFrom, 'secretKeyRef', 'configMapKeyRef', key, keysOf);
  return { ...(found ?? { state: 'unknown', source: 'other', reason: 'it is set from a field of the pod' }), at };
}

async function sourceFacts(from: unknown, secretField: string, configMapField: string, key: string, keysOf: KeyReader): Promise<SettingFacts | undefined> {
  const secret = textOf(valueIn(from, secretField, 'name'));
  const name = secret ?? textOf(valueIn(from, configMapField, 'name'));
  if (name === undefined) return undefined;
  const source = secret === undefined ? 'configMap' : 'secret';
  const keys = await keysOf(secret === undefined ? 'ConfigMap' : 'Secret', name);
  const where = { source, from: { name, key } } as const;
  if (!keys.known) return { state: 'unknown', ...where, reason: keys.reason };
  if (!keys.keys.includes(key)) return { state: 'missing', ...where };
  const value = source === 'configMap' ? keys.values[key] : undefined;
  return { state: 'value', ...where, ...(value === undefined ? {} : { value }) };
}

function dataFacts(podSpec: unknown, container: unknown): DataFacts {
  const mount = listOf(valueIn(container, 'volumeMounts')).find((m) => {
    const path = textOf(valueIn(m, 'mountPath'))?.replace(/\/+$/, '');
    return path === dataDirectory;
  });
  const volume = recordOf(listOf(valueIn(podSpec, 'volumes')).find((v) => mount !== undefined && valueIn(v, 'name') === valueIn(mount, 'name')));
  const type = Object.keys(volume).find((k) => k !== 'name');
  const claim = textOf(valueIn(volume, 'persistentVolumeClaim', 'claimName'));
  const security = valueIn(podSpec, 'securityContext');
  const fsGroup = numberOf(valueIn(security, 'fsGroup'));
  const runAsUser = numberOf(valueIn(container, 'securityContext', 'runAsUser')) ?? numberOf(valueIn(security, 'runAsUser'));
  return {
    // A StatefulSet's volume comes from its claim template, so that the pod's spec does not name it.
    ...(mount === undefined ? {} : { volume: type ?? 'persistentVolumeClaim' }),
    ...(claim === undefined ? {} : { claim }),
    readOnly: valueIn(mount, 'readOnly') === true || valueIn(volume, 'persistentVolumeClaim', 'readOnly') === true,
    hasPodSecurityContext: typeof security === 'object' && security !== null,
    ...(fsGroup === undefined ? {} : { fsGroup }),
    ...(runAsUser === undefined ? {} : { runAsUser }),
  };
}
