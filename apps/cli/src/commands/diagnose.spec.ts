import { aFolder, removeFolders } from '@larry/kube/testing';
import { exitCodes, UserError } from '../user-error';
import { diagnose } from './diagnose';

let said = '';

beforeEach(() => {
  said = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});
afterAll(removeFolders);

const deployment = (namespace: string, name: string): string =>
  JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'app', image: 'registry.example/app:1.0.0' }] } } } });
const manifests = (): Promise<string> =>
  aFolder({ 'shop.json': deployment('shop', 'web'), 'bank.json': deployment('bank', 'pay'), 'dns.json': deployment('kube-system', 'dns'), 'empty.json': JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'empty' } }) });

describe('larry diagnose --namespace', () => {
  it('refuses a namespace that the source does not show, and names those it does', async () => {
    const refused = await diagnose({ manifests: await manifests(), namespace: 'typo-ns' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UserError);
    expect(refused).toMatchObject({ exitCode: exitCodes.usage, message: expect.stringMatching(/^--namespace typo-ns: .* shows no such namespace and nothing in it; there are empty$/) });
    expect(said).toBe('');
  });

  it('counts what is in that namespace alone, and has looked at the others too', async () => {
    await diagnose({ manifests: await manifests(), namespace: 'shop' });
    expect(said).toContain('1 workloads, 0 services.');
    expect(said).not.toContain('namespaces other than');
    expect(process.exitCode).toBe(exitCodes.ok);
  });

  it('takes a namespace that is there and empty for what it is', async () => {
    await diagnose({ manifests: await manifests(), namespace: 'empty' });
    expect(process.exitCode).toBe(exitCodes.incomplete);
  });

  it('counts everything and leaves out nothing where none is named', async () => {
    await diagnose({ manifests: await manifests() });
    expect(said).toContain('3 workloads, 0 services.');
  });
});
