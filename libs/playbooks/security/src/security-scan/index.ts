import { definePlaybook, type AccessRule, type Playbook } from '@larry/playbook';
import { diagnoseScan } from './diagnose';
import { observeScan } from './observe';
import { scanOptionsSchema } from './options';
import { validateScan } from './validate';

/** What every scan reads. Secrets are not among it: nothing here needs their values. */
const access: AccessRule[] = [
  {
    apiGroups: [''],
    resources: [
      'namespaces',
      'pods',
      'replicationcontrollers',
      'services',
      'configmaps',
      'serviceaccounts',
      'limitranges',
    ],
    verbs: ['get', 'list'],
  },
  {
    apiGroups: ['apps'],
    resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets'],
    verbs: ['get', 'list'],
  },
  { apiGroups: ['batch'], resources: ['jobs', 'cronjobs'], verbs: ['get', 'list'] },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies', 'ingresses'], verbs: ['get', 'list'] },
  // Who owns an object of k3s: a HelmChart, or the file of an AddOn.
  { apiGroups: ['helm.cattle.io'], resources: ['helmcharts'], verbs: ['get', 'list'] },
  { apiGroups: ['k3s.cattle.io'], resources: ['addons'], verbs: ['get', 'list'] },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'],
    verbs: ['get', 'list'],
  },
];

/** A security scan of a group of namespaces. All groups share this; they differ in their options. */
export function securityScan(id: string, title: string, group: string): Playbook {
  return definePlaybook({
    id,
    title,
    description: `Reads ${group} and judges pods, rights, network policies, readable secrets, images and what is reachable from outside. Changes nothing.`,
    options: scanOptionsSchema,
    access,
    observe: observeScan,
    diagnose: diagnoseScan,
    validate: validateScan,
  });
}
