import type { KindInfo } from '@larry/kube';

/** Said where {@link servesPolicies} is false. */
export const noPolicies = "this cluster serves no ValidatingAdmissionPolicy of admissionregistration.k8s.io/v1: only Roles confine Larry's account, which then could write other fields of the kinds that they name";

/** Whether the charts' policy, which confines our account to the declared fields, can be installed: by discovery, whoever may list it. */
export function servesPolicies(kinds: readonly Pick<KindInfo, 'apiVersion' | 'kind'>[]): boolean {
  return kinds.some((k) => k.kind === 'ValidatingAdmissionPolicy' && k.apiVersion === 'admissionregistration.k8s.io/v1');
}
