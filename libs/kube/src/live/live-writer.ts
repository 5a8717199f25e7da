import type { KubeObject, ObjectRef } from '@larry/contracts';
import { UnknownKindError } from '../errors';
import { asKubeObject, isRecord } from '../untrusted-object';
import type { ClusterWriter, WriteOptions, WriteOutcome } from '../writer';
import { NoAnswerError, statusMessage, type ApiAnswer, type ApiClient, type ApiRequest } from './api-request';
import type { DiscoveryCache, ServedKind } from './discovery';
import { apiPath, isPathSegment, query } from './paths';

/** Shown in `managedFields` of what Larry changes. */
const fieldManager = 'larry';

/** Writes to a live cluster. Every request is sent once; what became of it is said as far as the answer tells. */
export class LiveWriter implements ClusterWriter {
  constructor(
    private readonly api: ApiClient,
    private readonly discovery: DiscoveryCache,
  ) {}

  may: ClusterWriter['may'] = async (verb, ref, subresource) => {
    const kind = await this.discovery.find(ref).catch((error: unknown) => {
      if (error instanceof UnknownKindError) return undefined;
      throw error;
    });
    if (!kind) return false;
    const slash = kind.apiVersion.indexOf('/');
    const resourceAttributes = {
      verb,
      group: slash < 0 ? '' : kind.apiVersion.slice(0, slash),
      version: kind.apiVersion.slice(slash + 1),
      resource: kind.resource,
      ...(subresource ? { subresource } : {}),
      ...(ref.namespace ? { namespace: ref.namespace } : {}),
      name: ref.name,
    };
    const answer = await this.api.write({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } },
    });
    const status = isRecord(answer.json) && isRecord(answer.json['status']) ? answer.json['status'] : {};
    return answer.status < 300 && status['allowed'] === true;
  };

  patch: ClusterWriter['patch'] = (change, options) =>
    this.send(change.target, options, (kind) => ({
      method: 'PATCH',
      path: apiPath(kind, change.target) + query(parameters(options)),
      contentType: 'application/json-patch+json',
      body: change.patch,
    }));

  create: ClusterWriter['create'] = (object, options) => {
    const { name, namespace } = object.metadata;
    const ref = { apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace ? { namespace } : {}) };
    return this.send(ref, options, (kind) => ({ method: 'POST', path: apiPath(kind, { namespace }) + query(parameters(options)), body: asNew(object) }));
  };

  remove: ClusterWriter['remove'] = (ref, preconditions, options) =>
    this.send(ref, options, (kind) => ({
      method: 'DELETE',
      path: apiPath(kind, ref),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy: 'Background', ...(options.dryRun ? { dryRun: ['All'] } : {}) },
    }));

  private async send(ref: ObjectRef, options: WriteOptions, requestOf: (kind: ServedKind) => ApiRequest): Promise<WriteOutcome> {
    let kind: ServedKind;
    try {
      kind = await this.discovery.find(ref, options.signal);
    } catch (error) {
      if (error instanceof UnknownKindError) return { outcome: 'refused', status: 404, message: error.message };
      throw error;
    }
    if (!isPathSegment(ref.name) || (kind.namespaced && !isPathSegment(ref.namespace ?? ''))) {
      return { outcome: 'refused', status: 400, message: `${JSON.stringify(ref.name)} cannot be the name of a ${ref.kind}` };
    }
    options.signal?.throwIfAborted();
    try {
      return outcomeOf(await this.api.write({ ...requestOf(kind), signal: options.signal, guard: options.guard }), ref);
    } catch (error) {
      if (error instanceof NoAnswerError) return { outcome: 'unknown', message: error.message };
      if (options.signal?.aborted) return { outcome: 'unknown', message: 'stopped while the request was under way' };
      throw error;
    }
  }
}

/** What the answer to a write tells. */
function outcomeOf(answer: ApiAnswer, ref: ObjectRef): WriteOutcome {
  const { status } = answer;
  const message = statusMessage(answer);
  if (status >= 200 && status < 300) return answer.json === undefined ? { outcome: 'unknown', message: 'the answer is not JSON' } : { outcome: 'done', object: objectOf(answer, ref) };
  if (status === 409 || (status === 422 && !namesCauses(answer))) return { outcome: 'conflict', message };
  if (status >= 500) return { outcome: 'unknown', message: `${status}: ${message}` };
  return { outcome: 'refused', status, message };
}

/** A patch that does not fit the object (a `test` failed, a path is gone) is a 422 without causes; an invalid object names them. */
function namesCauses({ json }: ApiAnswer): boolean {
  const details = isRecord(json) && isRecord(json['details']) ? json['details'] : {};
  return Array.isArray(details['causes']) && details['causes'].length > 0;
}

/** A deletion is answered with a Status, which names no object. */
function objectOf(answer: ApiAnswer, ref: ObjectRef): KubeObject {
  const result = asKubeObject(answer.json);
  if ('object' in result && result.object.kind === ref.kind) return result.object;
  const { apiVersion, kind, name, namespace, uid } = ref;
  return { apiVersion, kind, metadata: { name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) } };
}

function parameters({ dryRun }: { dryRun: boolean }): Record<string, string | undefined> {
  return { fieldManager, dryRun: dryRun ? 'All' : undefined };
}

/** An object read before and created again: the server refuses the marks of its first life. */
function asNew(object: KubeObject): KubeObject {
  const { uid: _, resourceVersion: __, creationTimestamp: ___, generation: ____, managedFields: _____, ...metadata } = object.metadata;
  return { ...object, metadata };
}
