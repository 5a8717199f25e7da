import { ApiClient, ApiError, builtinCluster, ProgramHost, startNodeClients } from '@larry/simulation';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { KubeletLogs } from './kubelet-logs';

/**
 * Seven nodes for a real control plane, as one process: `node e2e/dist/real-cluster/nodes.js FOLDER ADDRESSES`. `FOLDER` is
 * that of `e2e/real-control-plane` (its `ca.crt`, `api.crt` and `api.key` are read), `ADDRESSES` the first two numbers of a
 * range that this machine answers on. Pods of our images become processes; all others are played by the simulation.
 */
async function main(folder: string, addresses: string): Promise<void> {
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  const server = { url: 'https://127.0.0.1:27443', token: read('admin.token').trim(), ca: read('ca.crt') };
  const address = `${addresses}.0.1`;
  const logs = new KubeletLogs();
  await new Promise<void>((resolve) => logs.serve({ key: read('api.key'), cert: read('api.crt') }).listen(10_250, address, resolve));
  await register(new ApiClient({ ...server, userAgent: 'kubelet' }), address);
  const programs = await ProgramHost.open({ root: path.join(__dirname, '../../..'), addresses });
  const clients = await startNodeClients({ ...server, rootCertificate: server.ca, logs, programs, log: (fields, message) => console.error(message, JSON.stringify(fields)) });
  console.log('nodes are up');
  const stop = async (): Promise<void> => {
    await clients.stop();
    await programs.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
}

/** Makes the Node objects, as a kubelet does for its own, and volumes for claims to bind to; what is there stays. */
async function register(api: ApiClient, address: string): Promise<void> {
  const make = (path: string, object: object): Promise<unknown> =>
    api.request('POST', path, object).catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
    });
  for (const { metadata, status, ...node } of builtinCluster(new Date()).filter(({ kind }) => kind === 'Node')) {
    await make('/api/v1/nodes', { ...node, metadata: { name: metadata.name, labels: metadata.labels }, spec: {} });
    const own = { ...(status as object), addresses: [{ type: 'InternalIP', address }, { type: 'Hostname', address: metadata.name }] };
    await api.request('PATCH', `/api/v1/nodes/${metadata.name}/status`, { status: own }, 'application/merge-patch+json');
  }
  for (let n = 1; n <= 12; n += 1) {
    const spec = { capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce', 'ReadWriteMany'], hostPath: { path: '/not-used' }, persistentVolumeReclaimPolicy: 'Retain' };
    await make('/api/v1/persistentvolumes', { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: `volume-${n}` }, spec });
  }
  api.close();
}

const [, , folder, addresses = '10.222'] = process.argv;
if (folder === undefined) {
  console.error('nodes: name the folder of e2e/real-control-plane as the first argument');
  process.exit(2);
}
main(folder, addresses).catch((error: unknown) => {
  console.error(`nodes: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
