import { delimiter, join } from 'node:path';
import { aFolder, removeFolders } from '../testing-folder';
import { loadTarget } from './kubeconfig';
import { kubeconfigFor } from './testing-api';

const names = ['KUBECONFIG', 'HOME', 'KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT', 'LARRY_SERVICE_ACCOUNT_DIR'] as const;
const before = names.map((name) => [name, process.env[name]] as const);
beforeEach(() => names.forEach((name) => delete process.env[name]));
afterAll(async () => {
  for (const [name, value] of before) if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  await removeFolders();
});

const two = (current: string, server: string) =>
  `current-context: ${current}\nclusters: [{name: c, cluster: {server: "${server}", certificate-authority: ca.crt}}]\nusers: [{name: u, user: {token: t}}]\ncontexts: [{name: one, context: {cluster: c, user: u}}, {name: two, context: {cluster: c}}]\n`;

describe('loadTarget', () => {
  it('takes the current context, or the one asked for, with files beside the kubeconfig', async () => {
    const folder = await aFolder({ config: two('one', 'https://a:6443/') });
    const kubeconfig = join(folder, 'config');
    expect(await loadTarget({ kubeconfig })).toMatchObject({ context: 'one', cluster: { server: 'https://a:6443', caFile: join(folder, 'ca.crt') }, user: { token: 't' } });
    expect(await loadTarget({ kubeconfig, context: 'two' })).toMatchObject({ context: 'two', user: undefined });
  });

  it('merges the files of KUBECONFIG, the first winning, and passes over those that are not there', async () => {
    const folder = await aFolder({ a: two('two', 'https://first'), b: two('one', 'https://second') });
    process.env['KUBECONFIG'] = [join(folder, 'gone'), join(folder, 'a'), join(folder, 'b')].join(delimiter);
    expect(await loadTarget({})).toMatchObject({ context: 'two', cluster: { server: 'https://first' } });
  });

  it('finds ~/.kube/config, and the service account of a pod where there is none', async () => {
    process.env['HOME'] = await aFolder({ '.kube/config': kubeconfigFor('https://home', { token: 't' }) });
    expect(await loadTarget({})).toMatchObject({ cluster: { server: 'https://home' } });
    process.env['HOME'] = await aFolder();
    Object.assign(process.env, { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' });
    expect(await loadTarget({})).toMatchObject({ context: 'in-cluster', cluster: { server: 'https://[fd00::1]:443' }, tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' });
  });

  it('reads the account of a pod where LARRY_SERVICE_ACCOUNT_DIR says that it is mounted', async () => {
    Object.assign(process.env, { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '6443', LARRY_SERVICE_ACCOUNT_DIR: '/pod/account' });
    expect(await loadTarget({ inCluster: true })).toMatchObject({ cluster: { server: 'https://127.0.0.1:6443', caFile: '/pod/account/ca.crt' }, tokenFile: '/pod/account/token' });
  });

  it.each([
    ['a file that is not there', undefined, {}, 'no such file'],
    ['YAML that does not parse', 'a: b: c', {}, /^kubeconfig .*config: Nested mappings/],
    ['no configuration', '[]', {}, 'holds no configuration'],
    ['a missing context', two('one', 'https://a'), { context: 'three' }, /has no context "three"; give one of --context one, two$/],
    ['no current context', 'contexts: []', {}, 'names no current context; it has none'],
    ['a cluster that it does not hold', 'current-context: x\ncontexts: [{name: x, context: {cluster: y}}]', {}, 'names cluster "y", which it does not hold'],
    ['a cluster without a server', 'clusters: [{name: c, cluster: {}}]', {}, 'clusters[0].cluster.server is missing'],
  ])('says in one sentence: %s', async (_, text, options, message) => {
    const folder = await aFolder(text === undefined ? {} : { config: text });
    await expect(loadTarget({ kubeconfig: join(folder, 'config'), ...options })).rejects.toThrow(message);
  });

  it('says what to do where nothing names a cluster', async () => {
    await expect(loadTarget({ inCluster: true })).rejects.toThrow('not in a cluster');
    process.env['KUBECONFIG'] = '/nowhere/config';
    await expect(loadTarget({})).rejects.toThrow('KUBECONFIG names /nowhere/config, and no such file can be read');
  });
});
