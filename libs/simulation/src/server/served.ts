import { isRefused, refusedSubresources } from './discovery';
import { apiVersionOf } from './kinds';
import type { KindRegistry } from './registry';

/** One kind in the list of what the simulation serves. */
export interface ServedKind {
  apiVersion: string;
  kind: string;
  resource: string;
  namespaced: boolean;
  verbs: string[];
  subresources: string[];
}

/** What the simulated API server serves, and what it refuses with a sentence. */
export interface Served {
  simulated: true;
  kinds: ServedKind[];
  patches: string[];
  requestBodies: string[];
  answers: string[];
  refused: string[];
  notChecked: string[];
}

export function servedList(kinds: KindRegistry): Served {
  return {
    simulated: true,
    kinds: kinds.all().map((k) => ({
      apiVersion: apiVersionOf(k), kind: k.kind, resource: k.plural, namespaced: k.namespaced, verbs: k.verbs,
      subresources: k.subresources.filter((s) => !isRefused(k, s)),
    })),
    patches: ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json (built-in kinds)', 'application/apply-patch+yaml'],
    requestBodies: ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'],
    answers: ['application/json', 'application/json;as=Table', 'application/json;as=PartialObjectMetadata'],
    refused: [...refusedSubresources.map((s) => `subresource ${s}`), 'admission webhooks', 'conversion webhooks', 'aggregated API servers', 'protobuf answers'],
    notChecked: ['ValidatingAdmissionPolicies are stored, and their CEL expressions are not evaluated', 'NetworkPolicies and PriorityClasses are stored, and nothing is kept from or put before anything by them', 'CEL rules of custom resources (x-kubernetes-validations)', 'most value rules of built-in kinds beyond types, enumerations and those of workloads, services and metadata'],
  };
}
