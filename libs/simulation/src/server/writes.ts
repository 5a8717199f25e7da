import { ApiError, alreadyExists, badRequest, conflict, failure, forbidden, invalid, notFound } from './api-error';
import { allocate, established, isTerminating, prepareNew, suffix, timestamp } from './creation';
import { customDefaults, customValidate } from './custom-resources';
import { applyDefaults } from './defaults';
import type { Kind } from './kinds';
import { apiVersionOf } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { at, isObject, record, sameJson, text } from './kube-object';
import { managersAfter, orUnchanged } from './ownership';
import { applyLimitRanges, checkQuotas, refreshQuotas } from './quotas';
import type { Caller, ServerState } from './state';
import { CHANGE_ANNOTATION } from './state';
import { readTyped } from './typed';
import { changesForbidden, required, validate, wrong } from './validation';

export type UpdateKind = 'main' | 'status' | 'finalize' | 'scale';

/** How a candidate for an update is made from the live object; `owned` says that its managedFields are already right. */
export interface Candidate {
  object: KubeObject;
  owned?: boolean;
}

/** Creates and updates objects by the rules that clients can observe: defaults, validation, generation, conflicts, no-op writes. */
export class Writes {
  constructor(private readonly state: ServerState) {}

  /** Checks kind and types of what a client sent. Throws 400; fills `caller.warnings`. */
  read(kind: Kind, input: Fields, caller: Caller): KubeObject {
    const apiVersion = apiVersionOf(kind);
    if ((input['kind'] !== undefined && input['kind'] !== kind.kind) || (input['apiVersion'] !== undefined && input['apiVersion'] !== apiVersion)) {
      throw wrongKind(kind, input);
    }
    const whole = { ...input, kind: kind.kind, apiVersion };
    const typed = kind.type ? readTyped(kind.type, whole) : customDefaults(kind, whole);
    if (typed.mistyped && caller.verb === 'patch' && kind.type) throw badPatch(whole, typed.mistyped);
    if (typed.mistyped) throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${typed.mistyped}`);
    const unknown = [...typed.unknown.map((f) => `unknown field "${f}"`), ...caller.duplicates.map((f) => `duplicate field "${f}"`)];
    if (unknown.length > 0 && caller.fieldValidation === 'Strict') {
      throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${unknown.join(', ')}`);
    }
    if (caller.fieldValidation === 'Warn') caller.warnings.push(...unknown);
    const object = typed.value as KubeObject;
    object.metadata = isObject(object.metadata) ? object.metadata : {};
    return object;
  }

  create(kind: Kind, namespace: string | undefined, input: Fields, caller: Caller, made?: { object: KubeObject; owned: boolean }): KubeObject {
    const object = this.read(kind, made?.object ?? input, caller);
    this.place(kind, namespace, object);
    const meta = object.metadata;
    if (meta.resourceVersion) throw failure(500, undefined, 'resourceVersion should not be set on objects to be created');
    this.checkNamespace(kind, namespace, meta.name || meta.generateName || '');
    const generated = !meta.name && meta.generateName !== undefined && meta.generateName !== '';
    if (!meta.name && !generated) throw invalid(kind.group, kind.kind, '', [required('metadata.name', 'name or generateName is required')]);
    if (generated) meta.name = this.freeName(kind, namespace, meta.generateName as string);
    applyDefaults(kind, object);
    const managed = made?.owned ? meta.managedFields : managersAfter({ before: undefined, after: object, kind, caller, now: timestamp(this.state.now()) });
    if (kind.kind === 'Pod' && kind.group === '') applyLimitRanges(this.state, kind, object);
    prepareNew(kind, object, this.state);
    validate(kind, object, customValidate(kind, object));
    const present = this.state.store.get(kind, object.metadata.namespace, meta.name as string);
    if (present) throw alreadyExists(kind, meta.name as string, isTerminating(present));
    checkQuotas(this.state, kind, namespace, object);
    const owned = withManagers(object, managed);
    if (caller.dryRun) return owned;
    if (kind.kind === 'CustomResourceDefinition' && JSON.stringify(owned['spec']).includes('x-kubernetes-validations')) {
      caller.warnings.push('SIMULATED: x-kubernetes-validations (CEL rules) of this definition are not evaluated');
    }
    const stored = this.state.store.put(kind, owned);
    this.afterWrite(kind, stored, undefined);
    this.record(kind, stored, caller, true);
    return stored;
  }

  /** Replaces the live object by what `change` makes of it. An update that changes nothing stores nothing. */
  update(kind: Kind, namespace: string | undefined, name: string, part: UpdateKind, caller: Caller, change: (live: KubeObject) => Candidate): KubeObject {
    const live = this.state.store.get(kind, namespace, name);
    if (!live) throw notFound(kind, name);
    const candidate = change(live);
    const sent = this.read(kind, candidate.object, caller);
    this.place(kind, namespace, sent, name);
    if (kind.custom && caller.verb === 'update' && !sent.metadata.resourceVersion) {
      throw invalid(kind.group, kind.kind, name, [wrong('metadata.resourceVersion', 0, 'must be specified for an update')]);
    }
    if (sent.metadata.resourceVersion && sent.metadata.resourceVersion !== live.metadata.resourceVersion) throw conflict(kind, name);
    if (sent.metadata.uid && sent.metadata.uid !== live.metadata.uid) throw this.uidConflict(kind, live, sent, caller);
    const next = this.merge(kind, live, sent, part);
    if (part !== 'status') applyDefaults(kind, next);
    const subresource = part === 'main' ? {} : { subresource: part };
    const managed = candidate.owned ? sent.metadata.managedFields : managersAfter({ before: live, after: next, kind, caller, now: timestamp(this.state.now()), ...subresource });
    if (part !== 'status' && kind.kind === 'Service' && kind.group === '') allocate(next, this.state);
    validate(kind, next, [...changesForbidden(kind, live, next), ...customValidate(kind, next)]);
    this.checkFinalizers(kind, live, next);
    this.countGeneration(kind, live, next, part);
    const after = withManagers(next, managed);
    if (orUnchanged(live, after) === live) {
      if (!caller.dryRun) this.record(kind, live, caller, false, part);
      return live;
    }
    if (caller.dryRun) return after;
    return this.settle(kind, live, after, caller, part);
  }

  /** Stores an updated object, or removes it when its last finalizer went while it was being deleted. */
  settle(kind: Kind, live: KubeObject, after: KubeObject, caller: Caller, part: UpdateKind = 'main'): KubeObject {
    const gone = isTerminating(after) && (after.metadata.finalizers ?? []).length === 0 && !after.metadata.deletionGracePeriodSeconds && !spares(kind, after);
    const stored = gone ? this.state.store.remove(kind, after) : this.state.store.put(kind, after);
    this.afterWrite(kind, gone ? undefined : stored, live);
    this.record(kind, stored, caller, true, part);
    return stored;
  }

  /** Definitions start and stop to serve what they define. */
  afterWrite(kind: Kind, object: KubeObject | undefined, before: KubeObject | undefined): void {
    const counts = kind.group === '' && (kind.plural === 'resourcequotas' || (kind.plural === 'pods' && !sameJson(at(before, 'status', 'phase'), at(object, 'status', 'phase'))));
    if (!object || !before || counts) refreshQuotas(this.state, (object ?? before)?.metadata.namespace);
    if (kind.kind !== 'CustomResourceDefinition') return;
    if (object) {
      if (before && sameJson(before['spec'], object['spec'])) return;
      this.state.kinds.define(object);
      if (!before) this.state.store.put(kind, established(object, this.state.now()));
    } else if (before) this.removeInstances(before);
  }

  /** With a definition go the objects that it defined. */
  private removeInstances(definition: KubeObject): void {
    const group = text(at(definition, 'spec', 'group'));
    const plural = text(at(definition, 'spec', 'names', 'plural'));
    const custom = this.state.kinds.byPlural(group, plural);
    if (custom) for (const object of this.state.store.list(custom)) this.state.store.remove(custom, object);
    this.state.kinds.undefine(definition);
  }

  record(kind: Kind, object: KubeObject, caller: Caller, changed: boolean, part: UpdateKind | string = 'main'): void {
    const { namespace, name = '', annotations, resourceVersion = '' } = object.metadata;
    const changeId = annotations?.[CHANGE_ANNOTATION];
    this.state.journal.add({
      time: this.state.now().toISOString(), verb: caller.verb,
      group: kind.group, version: kind.version, resource: kind.plural, name, user: caller.user, manager: caller.manager, userAgent: caller.userAgent,
      resourceVersion, changed,
      ...(part === 'main' ? {} : { subresource: part }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(changeId === undefined ? {} : { change: changeId }),
    });
  }

  /** The object's name and namespace against those of the URL. */
  private place(kind: Kind, namespace: string | undefined, object: KubeObject, name?: string): void {
    const meta = object.metadata;
    if (name !== undefined && meta.name && meta.name !== name) throw badRequest(`the name of the object (${meta.name}) does not match the name on the URL (${name})`);
    if (name !== undefined) meta.name = name;
    if (!kind.namespaced) delete meta.namespace;
    else if (meta.namespace && namespace !== undefined && meta.namespace !== namespace) throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    else if (namespace !== undefined) meta.namespace = namespace;
  }

  private checkNamespace(kind: Kind, namespace: string | undefined, name: string): void {
    if (!kind.namespaced || namespace === undefined) return;
    const namespaces = this.state.kinds.find('', 'v1', 'namespaces') as Kind;
    const found = this.state.store.get(namespaces, undefined, namespace);
    if (!found) throw notFound(namespaces, namespace);
    if (!isTerminating(found)) return;
    throw forbidden(kind, name, `unable to create new content in namespace ${namespace} because it is being terminated`, [
      { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
    ]);
  }

  private freeName(kind: Kind, namespace: string | undefined, prefix: string): string {
    for (;;) {
      const name = `${prefix.slice(0, 58)}${suffix()}`;
      if (!this.state.store.get(kind, namespace, name)) return name;
    }
  }

  /** A replace takes the uid as a precondition; a patch changes a field that cannot change. */
  private uidConflict(kind: Kind, live: KubeObject, sent: KubeObject, caller: Caller): ApiError {
    if (caller.verb === 'patch') {
      const cause = wrong('metadata.uid', sent.metadata.uid, 'field is immutable');
      return invalid(kind.group, kind.kind, live.metadata.name ?? '', twice(cause));
    }
    return conflict(kind, live.metadata.name ?? '', `Precondition failed: UID in precondition: ${sent.metadata.uid}, UID in object meta: ${live.metadata.uid}`);
  }

  /** What of the sent object counts: each subresource writes its own part, and identity is the server's. */
  private merge(kind: Kind, live: KubeObject, sent: KubeObject, part: UpdateKind): KubeObject {
    const { uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds, generateName } = live.metadata;
    const system = { uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds, generateName, resourceVersion: live.metadata.resourceVersion };
    const identity = Object.fromEntries(Object.entries(system).filter(([, v]) => v !== undefined));
    const clean: Fields = { ...sent.metadata };
    for (const field of Object.keys(system)) delete clean[field];
    const hasStatus = kind.subresources.includes('status');
    if (part === 'status') {
      const metadata = kind.custom ? live.metadata : { ...live.metadata, ...pick(clean, kind.kind === 'Node' ? ['labels', 'annotations'] : ['annotations']) };
      return { ...live, metadata: { ...metadata }, status: structuredClone(sent['status']) };
    }
    if (part === 'finalize') return { ...live, metadata: { ...live.metadata }, spec: structuredClone(sent['spec']) };
    const next: KubeObject = structuredClone({ ...sent, metadata: { ...clean, ...identity } });
    if (hasStatus) {
      delete next['status'];
      if (live['status'] !== undefined) next['status'] = live['status'];
    }
    if (kind.kind === 'Namespace' && kind.group === '') next['spec'] = { ...record(next['spec']), finalizers: record(live['spec'])['finalizers'] };
    if (kind.kind === 'Service' && kind.group === '') keepAddresses(live, next);
    return next;
  }

  private checkFinalizers(kind: Kind, live: KubeObject, next: KubeObject): void {
    if (!isTerminating(live)) return;
    const had = new Set(live.metadata.finalizers ?? []);
    const added = (next.metadata.finalizers ?? []).filter((f) => !had.has(f));
    if (added.length === 0) return;
    const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(', ')}}`;
    throw invalid(kind.group, kind.kind, live.metadata.name ?? '', twice({ reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' }));
  }

  private countGeneration(kind: Kind, live: KubeObject, next: KubeObject, part: UpdateKind): void {
    if (!kind.generation || part === 'status') return;
    const content = ({ metadata: _m, status, apiVersion: _a, kind: _k, ...rest }: KubeObject): Fields => (kind.subresources.includes('status') ? rest : { ...rest, status });
    // Deployments also count changes of annotations, as their strategy does in Kubernetes.
    const noted = kind.kind === 'Deployment' && kind.group === 'apps' && !sameJson(live.metadata.annotations ?? {}, next.metadata.annotations ?? {});
    if (noted || !sameJson(content(live), content(next))) next.metadata.generation = (live.metadata.generation ?? 0) + 1;
  }
}

/** Changes of metadata are checked twice in Kubernetes, and each check adds its cause. */
const twice = <T>(cause: T): T[] => [cause, cause];

const pick = (from: Fields, names: string[]): Fields => Object.fromEntries(names.filter((n) => from[n] !== undefined).map((n) => [n, from[n]]));

function withManagers(object: KubeObject, managedFields: unknown[] | undefined): KubeObject {
  const { managedFields: _old, ...metadata } = object.metadata;
  return { ...object, metadata: managedFields ? { ...metadata, managedFields } : metadata };
}

/** A namespace goes only when its own finalizer (in the spec) went. */
const spares = (kind: Kind, object: KubeObject): boolean =>
  kind.group === '' && kind.kind === 'Namespace' && ((record(object['spec'])['finalizers'] as string[] | undefined) ?? []).length > 0;

/** A client that leaves the allocated addresses out keeps them. */
function keepAddresses(live: KubeObject, next: KubeObject): void {
  const was = record(live['spec']);
  const spec = record(next['spec']);
  if (spec['type'] === 'ExternalName') return;
  for (const field of ['clusterIP', 'clusterIPs', 'healthCheckNodePort']) if (!spec[field] && was[field]) spec[field] = structuredClone(was[field]);
  if (spec['clusterIP'] !== record(live['spec'])['clusterIP'] && sameJson(spec['clusterIPs'], was['clusterIPs'])) spec['clusterIPs'] = [spec['clusterIP']];
  const ports = (was['ports'] ?? []) as Fields[];
  if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') {
    for (const port of (spec['ports'] ?? []) as Fields[]) port['nodePort'] ??= ports.find((p) => p['port'] === port['port'] && p['protocol'] === port['protocol'])?.['nodePort'];
  }
}

/** A patch whose result does not fit the types: the real server prints the whole patched object. */
function badPatch(object: Fields, why: string): ApiError {
  const { kind, apiVersion, ...rest } = object;
  const message = `Invalid value: ${JSON.stringify(JSON.stringify({ apiVersion, kind, ...rest }))}: ${why}`;
  return invalid('', '', '', [{ reason: 'FieldValueInvalid', message, field: 'patch' }]);
}

function wrongKind(kind: Kind, input: Fields): ApiError {
  const sentKind = String(input['kind'] ?? '');
  const sentVersion = String(input['apiVersion'] ?? '');
  if (kind.type && sentVersion === apiVersionOf(kind)) {
    const go = kind.group ? kind.group.split('.')[0] : 'core';
    const converted = `converting (${kind.version}.${sentKind}) to (${go}.${kind.kind}): unknown conversion`;
    return badRequest(`${sentKind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${converted}`);
  }
  return badRequest(`the API version in the data (${sentVersion}) does not match the expected API version (${apiVersionOf(kind)})`);
}
