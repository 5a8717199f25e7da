import type { IncomingMessage } from 'node:http';
import { badRequest, failure, invalid, notFound } from './api-error';
import { timestamp } from './creation';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { isObject } from './kube-object';
import { applyOwned, patched } from './ownership';
import { mediaType, yaml } from './request';
import type { Caller, ServerState } from './state';
import { storedFrom, viewOf } from './views';
import type { UpdateKind, Writes } from './writes';

export const PATCH_TYPES = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
} as const;
export type PatchType = (typeof PATCH_TYPES)[keyof typeof PATCH_TYPES];

/** A PATCH request, read. */
export interface Patch {
  type: PatchType;
  body: unknown;
  force: boolean;
}

const optionsInvalid = (field: string, reason: string, message: string) => invalid('meta.k8s.io', 'PatchOptions', '', [{ reason, message, field }]);

/** Reads a patch. Throws 415 for other media types, 400 for a body that does not parse, 422 for options that do not fit. */
export function readPatch(req: IncomingMessage, body: Buffer, query: URLSearchParams, kind: Kind): Patch {
  const type = (PATCH_TYPES as Record<string, PatchType | undefined>)[mediaType(req)];
  if (!type) throw failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  if (type === 'strategic' && !kind.type) {
    throw failure(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml');
  }
  const forced = query.get('force');
  if (type !== 'apply' && forced !== null) throw optionsInvalid('force', 'FieldValueForbidden', 'Forbidden: may not be specified for non-apply patch');
  if (type === 'apply' && !query.get('fieldManager')) throw optionsInvalid('fieldManager', 'FieldValueRequired', 'Required value: is required for apply patch');
  return { type, force: forced === 'true', body: type === 'apply' ? yaml(body) : parse(body) };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    throw badRequest(`error decoding patch: ${(error as Error).message}`);
  }
}

/** Applies patches of the four kinds. */
export class Patching {
  constructor(private readonly state: ServerState, private readonly writes: Writes) {}

  /** The patched object, and whether it was created (an apply of what did not exist). */
  patch(kind: Kind, namespace: string | undefined, name: string, patch: Patch, part: UpdateKind, caller: Caller): { object: KubeObject; created: boolean } {
    if (patch.type === 'apply') return this.apply(kind, namespace, name, patch, part, caller);
    const object = this.writes.update(kind, namespace, name, part, caller, (live) => ({ object: this.after(kind, live, patch) }));
    return { object, created: false };
  }

  /** A JSON or merge patch over something that is no stored object (a Scale). */
  changed(kind: Kind, patch: Patch, target: KubeObject): Fields {
    const result = patched(patch.type === 'json' ? 'json' : 'merge', kind, target, patch.body);
    if (!isObject(result)) throw badRequest('the patch leaves no object');
    return result;
  }

  private after(kind: Kind, live: KubeObject, patch: Patch): KubeObject {
    const seen = viewOf(kind, live);
    if (patch.type !== 'json' && !isObject(patch.body)) throw badRequest('error decoding patch: the patch must be a JSON object');
    const result = patched(patch.type as Exclude<PatchType, 'apply'>, kind, seen, patch.body);
    if (!isObject(result)) throw badRequest('the patch leaves no object');
    return storedFrom(kind, result) as KubeObject;
  }

  private apply(kind: Kind, namespace: string | undefined, name: string, patch: Patch, part: UpdateKind, caller: Caller): { object: KubeObject; created: boolean } {
    const sent = this.applied(kind, name, patch.body);
    const live = this.state.store.get(kind, namespace, name);
    const rv = sent.metadata.resourceVersion;
    if (!live && part !== 'main') throw notFound(kind, name);
    if (live && rv !== undefined && rv !== live.metadata.resourceVersion) {
      throw failure(409, 'Conflict', `Operation cannot be fulfilled on ${kind.group ? `${kind.plural}.${kind.group}` : kind.plural} "${name}": the object has been modified; please apply your changes to the latest version and try again`, { name, ...(kind.group ? { group: kind.group } : {}), kind: kind.plural });
    }
    const now = timestamp(this.state.now());
    const owned = (before: KubeObject | undefined) => applyOwned({ kind, live: before, patch: sent, caller, force: patch.force, now, ...(part === 'main' ? {} : { subresource: part }) });
    if (live) return { object: this.writes.update(kind, namespace, name, part, caller, (before) => ({ object: owned(before), owned: true })), created: false };
    const object = owned(undefined);
    return { object: this.writes.create(kind, namespace, sent as unknown as Fields, caller, { object, owned: true }), created: true };
  }

  private applied(kind: Kind, name: string, body: unknown): KubeObject {
    if (!isObject(body)) throw badRequest('error decoding YAML: an apply patch must be one object');
    const metadata = isObject(body['metadata']) ? body['metadata'] : {};
    if (!body['apiVersion']) throw badRequest(`invalid object type: /, Kind=${String(body['kind'] ?? '')}`);
    if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null) throw badRequest('metadata.managedFields must be nil');
    if (metadata['name'] !== undefined && metadata['name'] !== name) throw badRequest(`the name of the object (${String(metadata['name'])}) does not match the name on the URL (${name})`);
    return { ...storedFrom(kind, body), metadata: { ...metadata, name } } as KubeObject;
  }
}
