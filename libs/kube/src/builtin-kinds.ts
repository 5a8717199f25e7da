import { groupOf } from '@larry/contracts';
import type { KindRef } from './reader';

/** A kind of Kubernetes itself, without knowing whether a source has it. */
export interface BuiltinKind extends KindRef {
  resource: string;
  namespaced: boolean;
  /** Made by the cluster while it runs, so a tree of manifests says nothing about it. */
  runtime: boolean;
}

/** `apiVersion: Kind/plural …`; a star marks what a running cluster makes, an exclamation mark what has no namespace. */
const table = `
v1: Pod/pods* Service/services ConfigMap/configmaps Secret/secrets ServiceAccount/serviceaccounts Event/events* Namespace/namespaces! Node/nodes*! PersistentVolume/persistentvolumes! PersistentVolumeClaim/persistentvolumeclaims ReplicationController/replicationcontrollers Endpoints/endpoints* LimitRange/limitranges ResourceQuota/resourcequotas PodTemplate/podtemplates
apps/v1: Deployment/deployments StatefulSet/statefulsets DaemonSet/daemonsets ReplicaSet/replicasets* ControllerRevision/controllerrevisions*
batch/v1: Job/jobs CronJob/cronjobs
autoscaling/v2: HorizontalPodAutoscaler/horizontalpodautoscalers
policy/v1: PodDisruptionBudget/poddisruptionbudgets
networking.k8s.io/v1: Ingress/ingresses NetworkPolicy/networkpolicies IngressClass/ingressclasses!
rbac.authorization.k8s.io/v1: Role/roles RoleBinding/rolebindings ClusterRole/clusterroles! ClusterRoleBinding/clusterrolebindings!
storage.k8s.io/v1: StorageClass/storageclasses! VolumeAttachment/volumeattachments*! CSIDriver/csidrivers! CSINode/csinodes*! CSIStorageCapacity/csistoragecapacities*
discovery.k8s.io/v1: EndpointSlice/endpointslices*
coordination.k8s.io/v1: Lease/leases*
scheduling.k8s.io/v1: PriorityClass/priorityclasses!
node.k8s.io/v1: RuntimeClass/runtimeclasses!
apiextensions.k8s.io/v1: CustomResourceDefinition/customresourcedefinitions!
apiregistration.k8s.io/v1: APIService/apiservices!
admissionregistration.k8s.io/v1: MutatingWebhookConfiguration/mutatingwebhookconfigurations! ValidatingWebhookConfiguration/validatingwebhookconfigurations! ValidatingAdmissionPolicy/validatingadmissionpolicies! ValidatingAdmissionPolicyBinding/validatingadmissionpolicybindings!
certificates.k8s.io/v1: CertificateSigningRequest/certificatesigningrequests*!
`;

/** The kinds of Kubernetes that a source is expected to speak about, in the API's own order of groups (API reference, 1.35). */
export const builtinKinds: readonly BuiltinKind[] = table
  .trim()
  .split('\n')
  .flatMap((row) => {
    const colon = row.indexOf(': ');
    const apiVersion = row.slice(0, colon);
    return row
      .slice(colon + 2)
      .split(' ')
      .map((entry) => {
        const [kind = '', marked = ''] = entry.split('/');
        return {
          apiVersion,
          kind,
          resource: marked.replace(/[*!]/g, ''),
          namespaced: !marked.includes('!'),
          runtime: marked.includes('*'),
        };
      });
  });

/**
 * What makes two references speak of the same kind: group and kind, whatever the version
 * (`policy/v1beta1` and `policy/v1` PodDisruptionBudgets are the same objects).
 */
export function kindKey(ref: KindRef): string {
  return `${groupOf(ref.apiVersion)}/${ref.kind}`;
}

const byKey = new Map(builtinKinds.map((kind) => [kindKey(kind), kind]));

/** The built-in kind of that group and name, if it is one. */
export function builtinKind(ref: KindRef): BuiltinKind | undefined {
  return byKey.get(kindKey(ref));
}

/** The plural that most custom resources have, used only where neither a CRD nor discovery tells. */
export function guessPlural(kind: string): string {
  const lower = kind.toLowerCase();
  if (/(s|x|z|ch|sh)$/.test(lower)) return `${lower}es`;
  return /[^aeiou]y$/.test(lower) ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}
