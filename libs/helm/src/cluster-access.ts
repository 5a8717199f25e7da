import path from 'node:path';
import { kubeconfigFiles, serviceAccountFolder, type KubeconfigOptions } from '@larry/kube';
import { writeValues } from './chart-folder';

/** How helm reaches the cluster that Larry reads: arguments and environment. */
export interface HelmAccess {
  args: string[];
  environment: Record<string, string>;
}

/**
 * The same kubeconfig and context that the read interface takes; in a pod one that names the account's files, so that its
 * token stays out of arguments and is read anew as it changes.
 */
export async function accessFor(folder: string, { kubeconfig, context, inCluster }: KubeconfigOptions): Promise<HelmAccess> {
  const files = inCluster ? [] : await kubeconfigFiles(kubeconfig);
  const listed = files.length > 0 ? files : [await podKubeconfig(folder)];
  return { args: context && files.length > 0 ? ['--kube-context', context] : [], environment: { KUBECONFIG: listed.join(path.delimiter) } };
}

function podKubeconfig(folder: string): Promise<string> {
  const account = serviceAccountFolder();
  const host = process.env['KUBERNETES_SERVICE_HOST'] ?? '';
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${process.env['KUBERNETES_SERVICE_PORT'] ?? '443'}`;
  return writeValues(folder, 'kubeconfig', {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'pod', cluster: { server, 'certificate-authority': path.join(account, 'ca.crt') } }],
    users: [{ name: 'pod', user: { tokenFile: path.join(account, 'token') } }],
    contexts: [{ name: 'pod', context: { cluster: 'pod', user: 'pod' } }],
    'current-context': 'pod',
  });
}
