import { listOf, recordOf, textOf, valueIn } from '@larry/contracts';
import { dotted, seen } from '../causes/evidence';
import type { Candidate, FieldChange } from '../finding';
import { repairedEmail } from './email';
import { envOf, mountsOf, variableOf, type Pgadmin } from './find';

const email = 'PGADMIN_DEFAULT_EMAIL';
const password = 'PGADMIN_DEFAULT_PASSWORD';
const passwordFile = `${password}_FILE`;

/** What PgAdmin lacks of e-mail and password, as far as can be seen, where that should come from, and what gives it. Values of Secrets are never looked at. */
export function lackOf(pgadmin: Pgadmin): { title: string; also: Candidate['evidence']; remedy: FieldChange | { none: string } } {
  const missing = [email, password].filter((name) => isLacking(pgadmin, name));
  const also = missing.map((name) => {
    const source = sourceOf(variableOf(pgadmin, name)?.entry);
    if (!source) return seen(pgadmin.workload.ref, `${dotted(pgadmin.at)}.env`, `${name} has no value`);
    return seen({ apiVersion: 'v1', kind: source.kind, namespace: pgadmin.workload.namespace, name: source.name }, `.data.${source.key}`, `${name}: there is no such key, or it is empty`);
  });
  return { title: `PgAdmin starts without ${missing.join(' and ') || 'its e-mail address or its password'}`, also, remedy: remedyFor(pgadmin, missing) };
}

function isLacking(pgadmin: Pgadmin, name: string): boolean {
  const { workload, scene, spec } = pgadmin;
  const entry = variableOf(pgadmin, name)?.entry;
  const file = variableOf(pgadmin, passwordFile)?.entry;
  if (entry === undefined) return listOf(spec['envFrom']).every((from) => givesOther(pgadmin, from, name)) && !(name === password && file !== undefined && !leadsNowhere(pgadmin, file));
  const source = sourceOf(entry);
  if (!source) return valueIn(entry, 'valueFrom') === undefined && (textOf(valueIn(entry, 'value')) ?? '') === '';
  const held = scene.facts.objects.get(source.kind, workload.namespace, source.name);
  if (!held) return scene.facts.objects.isMissing(source.kind, workload.namespace, source.name);
  return ['data', 'stringData'].every((field) => (textOf(valueIn(held, field, source.key)) ?? '') === '');
}

/** Whether the variables of an `envFrom` are known, and this is none of them. */
function givesOther({ scene, workload }: Pgadmin, from: unknown, name: string): boolean {
  const [kind, of] = valueIn(from, 'secretRef') === undefined ? (['ConfigMap', 'configMapRef'] as const) : (['Secret', 'secretRef'] as const);
  const held = scene.facts.objects.get(kind, workload.namespace, textOf(valueIn(from, of, 'name')) ?? '');
  const prefix = textOf(valueIn(from, 'prefix')) ?? '';
  return held !== undefined && !keysOf(held).some((key) => `${prefix}${key}` === name);
}

const keysOf = (held: unknown): string[] => ['data', 'stringData'].flatMap((field) => Object.entries(recordOf(valueIn(held, field))).flatMap(([key, value]) => (value === '' ? [] : [key])));

/** Whether a password file is named where nothing is mounted, or where its Secret has no such key. */
function leadsNowhere(pgadmin: Pgadmin, entry: unknown): boolean {
  const file = textOf(valueIn(entry, 'value'));
  if (file === undefined) return false;
  const mount = mountsOf(pgadmin).find(({ path }) => file === path || file.startsWith(`${path.replace(/\/$/, '')}/`));
  if (!mount) return true;
  const { files, known } = secretFiles(pgadmin);
  return valueIn(mount.volume, 'secret') !== undefined && known && !files.some(({ path }) => path === file);
}

/** A value of Secrets that is PgAdmin's password by its name, and how the container gets at it. */
type Offer = { what: string; own: boolean } & ({ file: string } | { from: { name: string; key: string } });

function remedyFor(pgadmin: Pgadmin, missing: string[]): FieldChange | { none: string } {
  const steps: Pick<FieldChange, 'summary' | 'patch'>[] = [];
  let guess = false;
  for (const name of missing) {
    if (name === email) {
      const step = emailStep(pgadmin);
      if ('none' in step) return step;
      steps.push(step);
      continue;
    }
    const offers = offersTo(pgadmin);
    const offer = offers[0];
    if (!offer || offers.length > 1) return { none: offer ? `which value is PgAdmin's password is for you to say, and more than one may be meant (${offers.map(({ what }) => what).join(', ')}): name it in ${password} or ${passwordFile}` : noOffer(pgadmin) };
    steps.push(passwordStep(pgadmin, offer));
    guess ||= !offer.own;
  }
  if (steps.length === 0) return { none: noOffer(pgadmin) };
  const note = missing.includes(email) ? 'you log in with that address: set the option pgadminEmail to choose your own' : guess ? 'by its name it is PgAdmin\'s: check that it is the one meant' : undefined;
  return { summary: steps.map(({ summary }) => summary).join(', and '), patch: joined(pgadmin, steps.flatMap(({ patch }) => patch)), ...(note ? { note } : {}), ...(guess ? { guess } : {}) };
}

function noOffer({ scene }: Pgadmin): string {
  const unread = scene.facts.objects.knows('Secret') ? '' : ' (the names of Secrets and their keys cannot be read here)';
  return `the missing value is a secret that only you can choose${unread}: put e-mail and password into a Secret and name its keys in env, or add the missing key`;
}

function emailStep(pgadmin: Pgadmin): Pick<FieldChange, 'summary' | 'patch'> | { none: string } {
  const { wishes } = pgadmin.scene;
  const value = wishes.pgadminEmail ?? repairedEmail(undefined, wishes.pgadminEmailDomain ?? 'example.com');
  const summary = `Set ${email} to ${value}`;
  const there = variableOf(pgadmin, email);
  if (!there) return { summary, patch: [added({ name: email, value })] };
  const source = sourceOf(there.entry);
  return source ? { none: `put the address into key ${source.key} of ${source.kind} ${pgadmin.workload.namespace}/${source.name}, or name another` } : { summary, patch: [{ op: valueIn(there.entry, 'value') === undefined ? 'add' : 'replace', path: `${pgadmin.at}/env/${there.index}/value`, value }] };
}

function passwordStep(pgadmin: Pgadmin, offer: Offer): Pick<FieldChange, 'summary' | 'patch'> {
  if ('file' in offer) {
    const summary = `Set ${passwordFile} to ${offer.file}`;
    const there = variableOf(pgadmin, passwordFile);
    return { summary, patch: there ? [{ op: valueIn(there.entry, 'value') === undefined ? 'add' : 'replace', path: `${pgadmin.at}/env/${there.index}/value`, value: offer.file }] : [added({ name: passwordFile, value: offer.file })] };
  }
  const summary = `Take ${password} from ${offer.what}`;
  const there = variableOf(pgadmin, password);
  const path = `${pgadmin.at}/env/${there?.index ?? 0}`;
  if (!there) return { summary, patch: [added({ name: password, valueFrom: { secretKeyRef: offer.from } })] };
  if (sourceOf(there.entry)?.kind === 'Secret') return { summary, patch: [{ op: 'replace', path: `${path}/valueFrom/secretKeyRef/key`, value: offer.from.key }] };
  return { summary, patch: [{ op: 'remove', path: `${path}/value` }, { op: 'add', path: `${path}/valueFrom`, value: { secretKeyRef: offer.from } }] };
}

const added = (value: unknown): FieldChange['patch'][number] => ({ op: 'add', path: '-', value });

/** Variables that are added at their place: at the end of the list, or as the list. */
function joined(pgadmin: Pgadmin, patch: FieldChange['patch']): FieldChange['patch'] {
  const at = `${pgadmin.at}/env`;
  const isNew = ({ path }: FieldChange['patch'][number]): boolean => path === '-';
  if (pgadmin.spec['env'] !== undefined || !patch.some(isNew)) return patch.map((step) => (isNew(step) ? { ...step, path: `${at}/-` } : step));
  return [...patch.filter((step) => !isNew(step)), { op: 'add', path: at, value: patch.filter(isNew).map(({ value }) => value) }];
}

const isPasswordKey = (key: string): boolean => /^(?:[a-z]*[-_.]?(?:default|admin|login)[-_.]?)?pass(?:word|wd)?$/i.test(key);
const namesPgadmins = (name: string): boolean => /pg-?admin.*pass(?:word|wd)?$/i.test(name);

/** Whether a key holds PgAdmin's own password by all that its names say; another program's, as the database's, is none. */
function isPgadmins({ workload }: Pgadmin, secret: string, key: string): boolean {
  return namesPgadmins(key.replace(/_/g, '-')) || (isPasswordKey(key) && (/pg-?admin/i.test(secret) || secret === workload.name));
}

/** What may be meant: what the container has already before what else there is in the namespace. */
function offersTo(pgadmin: Pgadmin): Offer[] {
  const files = secretFiles(pgadmin).files.filter(({ secret, key }) => isPgadmins(pgadmin, secret, key)).map(({ secret, key, path }): Offer => ({ what: `Secret ${secret}, key ${key}, at ${path}`, own: true, file: path }));
  if (variableOf(pgadmin, passwordFile)) return files;
  const own = unique([...files, ...ofItsVariables(pgadmin)]);
  return own.length > 0 ? own : ofNamespace(pgadmin);
}

const unique = (offers: Offer[]): Offer[] => [...new Map(offers.map((offer) => [offer.what, offer])).values()];

const offerOf = (name: string, key: string, own: boolean): Offer => ({ what: `Secret ${name}, key ${key}`, own, from: { name, key } });

/** Keys that its own variables take from Secrets, under names of other images; and other keys of the Secret that it names. */
function ofItsVariables(pgadmin: Pgadmin): Offer[] {
  const objects = pgadmin.scene.facts.objects;
  const secretAt = (name: string): unknown => objects.get('Secret', pgadmin.workload.namespace, name);
  const named = envOf(pgadmin).flatMap((entry) => {
    const [variable, source] = [textOf(valueIn(entry, 'name')) ?? '', sourceOf(entry)];
    if (source?.kind !== 'Secret') return [];
    if (variable === password) return keysOf(secretAt(source.name)).filter((key) => isPasswordKey(key) || namesPgadmins(key)).map((key) => offerOf(source.name, key, false));
    return namesPgadmins(variable.replace(/_/g, '-')) ? [offerOf(source.name, source.key, true)] : [];
  });
  const whole = listOf(pgadmin.spec['envFrom']).flatMap((from) => {
    const name = textOf(valueIn(from, 'secretRef', 'name'));
    return name === undefined ? [] : keysOf(secretAt(name)).filter((key) => isPgadmins(pgadmin, name, key)).map((key) => offerOf(name, key, true));
  });
  return [...named, ...whole];
}

/** Secrets that the container does not have yet: their names alone speak for them. */
function ofNamespace(pgadmin: Pgadmin): Offer[] {
  if (sourceOf(variableOf(pgadmin, password)?.entry)) return [];
  return pgadmin.scene.facts.objects.list('Secret', pgadmin.workload.namespace).flatMap((secret) => keysOf(secret).filter((key) => isPgadmins(pgadmin, secret.metadata.name, key)).map((key) => offerOf(secret.metadata.name, key, false)));
}

/** The files that Secrets make in its container; `known` is false where the keys of one cannot be read. */
function secretFiles(pgadmin: Pgadmin): { files: { secret: string; key: string; path: string }[]; known: boolean } {
  let known = true;
  const files = mountsOf(pgadmin).flatMap(({ path, subPath, volume }) => {
    const secret = textOf(valueIn(volume, 'secret', 'secretName'));
    if (secret === undefined) return [];
    const held = pgadmin.scene.facts.objects.get('Secret', pgadmin.workload.namespace, secret);
    const items = listOf(valueIn(volume, 'secret', 'items')).map((item) => ({ key: textOf(valueIn(item, 'key')) ?? '', under: textOf(valueIn(item, 'path')) ?? '' }));
    const all = items.length > 0 ? items : held ? keysOf(held).map((key) => ({ key, under: key })) : subPath === undefined ? [] : [{ key: subPath, under: subPath }];
    known &&= items.length > 0 || held !== undefined;
    if (subPath !== undefined) return all.filter(({ under }) => under === subPath).map(({ key }) => ({ secret, key, path }));
    return all.map(({ key, under }) => ({ secret, key, path: `${path.replace(/\/$/, '')}/${under}` }));
  });
  return { files, known };
}

/** The ConfigMap or Secret that a variable comes from. */
export function sourceOf(entry: unknown): { kind: 'Secret' | 'ConfigMap'; name: string; key: string } | undefined {
  for (const [kind, field] of [['Secret', 'secretKeyRef'], ['ConfigMap', 'configMapKeyRef']] as const) {
    const [name, key] = [textOf(valueIn(entry, 'valueFrom', field, 'name')), textOf(valueIn(entry, 'valueFrom', field, 'key'))];
    if (name !== undefined && key !== undefined) return { kind, name, key };
  }
  return undefined;
}
