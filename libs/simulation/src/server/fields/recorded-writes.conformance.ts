import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { customResourceType, type KindKey, type KubeObject, type ManagedFieldsEntry, type MapType } from './index';
import { isObject, jsonEqual } from './json-values';

/** One recorded request to write an object, and the newest state of that object seen before it. */
export interface RecordedWrite {
  readonly label: string;
  readonly method: string;
  readonly contentType: string;
  readonly body: unknown;
  readonly manager: string;
  readonly force: boolean;
  readonly subresource: string | undefined;
  readonly kind: KindKey;
  readonly status: number;
  readonly response: KubeObject;
  /** Undefined for a create. */
  readonly before: KubeObject | undefined;
}

/** Two states of one object between which one manager updated it. */
export interface ObservedUpdate {
  readonly label: string;
  readonly before: KubeObject;
  readonly after: KubeObject;
  readonly entry: ManagedFieldsEntry;
}

interface Exchange {
  method: string;
  path: string;
  user_agent?: string;
  req_content_type?: string;
  request_body?: unknown;
  status: number;
  response_body?: unknown;
  events?: { event: unknown }[];
}

/** The recorded steps beside the repository; undefined when they are not there. */
export function recordedSteps(): string | undefined {
  const folder = path.resolve(process.cwd(), '../shared/recordings/steps');
  return existsSync(folder) ? folder : undefined;
}

/** Group, version and kind of an object. */
export function kindOf(object: KubeObject): KindKey {
  const [version = '', group = ''] = (object.apiVersion ?? '').split('/').reverse();
  return { group, version, kind: object.kind ?? '' };
}

const placeOf = (o: KubeObject): string =>
  `${o.apiVersion} ${o.kind} ${o.metadata?.namespace ?? ''}/${o.metadata?.name ?? ''}`;
const versionOf = (o: KubeObject): number => Number(o.metadata?.['resourceVersion'] ?? 0);

interface Seen {
  readonly object: KubeObject;
  readonly exchange: number;
}

/** Everything that the recordings show of stored objects. */
export class Recording {
  readonly types = new Map<string, MapType>();
  private readonly seen = new Map<string, Seen[]>();
  private readonly exchanges: { step: string; exchange: Exchange }[] = [];

  constructor(folder: string) {
    for (const step of readdirSync(folder).sort()) {
      const file = path.join(folder, step, 'http.jsonl');
      if (!existsSync(file)) continue;
      for (const line of readFileSync(file, 'utf8').trim().split('\n'))
        this.exchanges.push({ step, exchange: JSON.parse(line) as Exchange });
    }
    this.exchanges.forEach(({ exchange }, i) => this.observe(exchange, i));
  }

  typeOf(kind: KindKey): MapType | undefined {
    return this.types.get(`${kind.group}/${kind.version}/${kind.kind}`);
  }

  writes(): RecordedWrite[] {
    return this.exchanges.flatMap(({ step, exchange }, i) => this.asWrite(step, exchange, i) ?? []);
  }

  /** Pairs of neighbouring states in which exactly one Update entry is new or newer. */
  updates(): ObservedUpdate[] {
    return [...this.seen].flatMap(([label, states]) => {
      const byVersion = new Map(states.map(({ object }) => [versionOf(object), object]));
      const sorted = [...byVersion.values()].sort((a, b) => versionOf(a) - versionOf(b));
      return sorted.flatMap((after, i) => {
        const before = sorted[i - 1];
        if (!before || before.metadata?.uid !== after.metadata?.uid || hasUntrackedWrite(before, after)) return [];
        const known = before.metadata?.managedFields ?? [];
        const changed = (after.metadata?.managedFields ?? []).filter(
          (entry) =>
            !known.some(
              (old) => sameOwner(old, entry) && old.time === entry.time && jsonEqual(old.fieldsV1, entry.fieldsV1),
            ),
        );
        const [entry] = changed;
        if (changed.length !== 1 || entry?.operation !== 'Update') return [];
        return [{ label: `${label} ${versionOf(before)}..${versionOf(after)}`, before, after, entry }];
      });
    });
  }

  /** Dry runs show what is not stored; a list leaves out the type of its items. */
  private observe({ status, path: url, response_body: body, events = [] }: Exchange, exchange: number): void {
    if (status >= 300 || url.includes('dryRun')) return;
    const shown: unknown[] = [body, ...events.map(({ event }) => (isObject(event) ? event['object'] : undefined))];
    if (isObject(body) && Array.isArray(body['items']) && typeof body['kind'] === 'string') {
      const of = { apiVersion: body['apiVersion'] as string, kind: body['kind'].replace(/List$/, '') };
      shown.push(...(body['items'] as KubeObject[]).map((item) => ({ ...of, ...item })));
    }
    for (const value of shown) {
      const object = value as KubeObject | undefined;
      if (
        !isObject(object) ||
        !object.metadata?.uid ||
        object.kind === 'Scale' ||
        object.kind === 'PartialObjectMetadata'
      )
        continue;
      const states = this.seen.get(placeOf(object)) ?? [];
      states.push({ object, exchange });
      this.seen.set(placeOf(object), states);
      if (object.kind === 'CustomResourceDefinition') this.learn(object);
    }
  }

  private learn(definition: KubeObject): void {
    const spec = definition['spec'] as {
      group: string;
      names: { kind: string };
      versions: { name: string; schema?: { openAPIV3Schema?: unknown } }[];
    };
    for (const { name, schema } of spec.versions)
      this.types.set(`${spec.group}/${name}/${spec.names.kind}`, customResourceType(schema?.openAPIV3Schema));
  }

  private asWrite(step: string, exchange: Exchange, index: number): RecordedWrite | undefined {
    const { method, status, path: url, request_body: body, response_body: response } = exchange;
    if (!['POST', 'PUT', 'PATCH'].includes(method) || !isObject(response)) return undefined;
    const { pathname, searchParams } = new URL(url, 'http://x');
    const parts = pathname.split('/');
    const subresource = ['status', 'scale'].find(
      (name) => parts.at(-1) === name && parts.at(-3) !== 'namespaces' && parts.length > 7,
    );
    const target = (status < 300 ? response : body) as KubeObject;
    if (
      !isObject(target) ||
      !target.metadata?.name ||
      !target.kind ||
      target.kind === 'Scale' ||
      (status < 300 && !target.metadata.uid)
    )
      return undefined;
    const namespace =
      target.metadata.namespace ?? (parts.includes('namespaces') ? parts[parts.indexOf('namespaces') + 1] : undefined);
    // A refused body may lack its version: the URL has it.
    const apiVersion = parts[1] === 'api' ? 'v1' : `${parts[2]}/${parts[3]}`;
    const placed = { ...target, apiVersion, metadata: { ...target.metadata, namespace } };
    return {
      label: `${step} ${method} ${url}`,
      method,
      contentType: exchange.req_content_type ?? '',
      body,
      manager: searchParams.get('fieldManager') ?? (exchange.user_agent ?? '').split('/')[0] ?? '',
      force: searchParams.get('force') === 'true',
      subresource,
      kind: kindOf(placed),
      status,
      response: response as KubeObject,
      before: status === 201 ? undefined : this.newestBefore(placed, status < 300, searchParams.has('dryRun'), index),
    };
  }

  /** A write that changed nothing answers with a version that was seen earlier. */
  private newestBefore(target: KubeObject, stored: boolean, dryRun: boolean, index: number): KubeObject | undefined {
    const states = (this.seen.get(placeOf(target)) ?? []).filter(({ object, exchange }) => {
      if (!stored) return exchange < index;
      if (object.metadata?.uid !== target.metadata?.uid) return false;
      return (
        versionOf(object) < versionOf(target) ||
        (versionOf(object) === versionOf(target) && (dryRun || exchange < index))
      );
    });
    return states.map(({ object }) => object).sort((a, b) => versionOf(b) - versionOf(a))[0];
  }
}

/**
 * Whether more happened between two states than one tracked update: a deletion or a binding (which no
 * server tracks), or several writes that came back to where they began.
 */
function hasUntrackedWrite(before: KubeObject, after: KubeObject): boolean {
  const node = (o: KubeObject): unknown =>
    o.kind === 'Pod' ? (o['spec'] as KubeObject | undefined)?.['nodeName'] : undefined;
  const content = (o: KubeObject): unknown => ({
    ...o,
    metadata: { ...o.metadata, managedFields: undefined, resourceVersion: undefined },
  });
  return (
    before.metadata?.['deletionTimestamp'] !== after.metadata?.['deletionTimestamp'] ||
    node(before) !== node(after) ||
    jsonEqual(content(before), content(after))
  );
}

function sameOwner(a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.apiVersion === b.apiVersion &&
    a.subresource === b.subresource
  );
}

/**
 * Whether somebody else wrote between the state and the answer: an entry that is not the writer's is new
 * or dated differently. Such a state says nothing about the write.
 */
export function isStale(write: RecordedWrite): boolean {
  const before = write.before?.metadata?.managedFields;
  if (!write.before || write.status >= 300) return false;
  if (write.before.metadata?.['deletionTimestamp'] !== write.response.metadata?.['deletionTimestamp']) return true;
  const sent: unknown = Array.isArray(write.body)
    ? undefined
    : (write.body as KubeObject | undefined)?.metadata?.managedFields;
  if (sent !== undefined || Array.isArray(write.body)) return false;
  const others = (entries: readonly ManagedFieldsEntry[] = []): readonly ManagedFieldsEntry[] =>
    entries.filter((entry) => entry.manager !== write.manager);
  return others(write.response.metadata?.managedFields).some(
    (entry) => !others(before).some((old) => sameOwner(old, entry) && old.time === entry.time),
  );
}
