import { UnknownKindError, type ClusterReader } from '@larry/kube';
import { aFolder, memoryCluster, removeFolders } from '@larry/kube/testing';
import { aNode, anEvent, anObject, aPod, aWorkload, crashed, diagnosed, minutesAgo, testNow, told } from '../testing';
import { diagnose } from '../diagnose';
import { collectDump, collectFacts } from './collect';
import { parseProbes, readProbesOf } from './probes';
import { quantity } from './quantity';

afterAll(removeFolders);
const source = { type: 'snapshot', takenAt: testNow } as const;

describe('facts', () => {
  it('counts ten thousand events of one object into a few groups and keeps the last', async () => {
    const [, , pod] = aWorkload('web', { containers: [crashed(1)] }) as [never, never, ReturnType<typeof aNode>];
    const events = Array.from({ length: 10_000 }, (_, i) => anEvent(pod, 'BackOff', `restarting attempt ${i} of ${i % 400 ? 'a' : 'b'.repeat(i % 50)}`, { minutes: 60 - i / 200, times: 1 }));
    const facts = await collectFacts(memoryCluster([...aWorkload('web', { containers: [crashed(1)] }), ...events], { source }));
    const groups = facts.events.of('Pod shop/web-aaaaa-0');
    expect(groups.length).toBeLessThanOrEqual(20);
    expect(groups.reduce((sum, e) => sum + e.count, 0)).toBe(10_000);
    expect(groups[0]?.message).toContain('attempt 9999');
  });

  it('takes the probes that lie in the folder, and names as unknown what was not probed and a file that cannot be used', async () => {
    const probes = { kind: 'ProbeResults', version: 1, connectivity: [{ namespace: 'shop', service: 'cart', port: 80, connected: false }], notProbed: [{ subject: 'kubelet of n', reason: 'forbidden' }] };
    const read = async (text: string) => collectFacts(memoryCluster([aNode()], { source: { ...source, name: await aFolder({ 'probes.json': text }) } }));
    const facts = await read(JSON.stringify(probes));
    expect(facts.probes?.connectivity).toEqual(probes.connectivity);
    expect(facts.unknowns).toContainEqual({ subject: 'probe of kubelet of n', reason: 'forbidden' });
    expect((await read('{')).unknowns).toContainEqual({ subject: 'probes.json', reason: expect.stringContaining('is not JSON') });
  });

  it('keeps of a Secret its keys alone', async () => {
    const facts = await collectFacts(memoryCluster([anObject('v1', 'Secret', { name: 's', namespace: 'shop', data: { password: 'aHVudGVyMg==' } })], { source }));
    expect(JSON.stringify(facts.objects.get('Secret', 'shop', 's'))).not.toContain('aHVudGVyMg');
    expect(facts.objects.get('Secret', 'shop', 's')?.['data']).toEqual({ password: 'set' });
  });

  it('finds the workload above a pod, and ends where owners go in a circle', async () => {
    const a = anObject('apps/v1', 'ReplicaSet', { name: 'a', namespace: 'shop', metadata: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'b', uid: 'b', controller: true }] } });
    const b = anObject('apps/v1', 'ReplicaSet', { name: 'b', namespace: 'shop', metadata: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: 'a', controller: true }] } });
    const facts = await collectFacts(memoryCluster([...aWorkload('web', {}), a, b], { source }));
    expect(facts.pods.map((pod) => pod.workload)).toEqual(['Deployment shop/web']);
    expect(() => diagnose(facts)).not.toThrow();
  });

  it('takes pods without status, without containers and with nonsense for fields without a crash, and not for healthy', async () => {
    const odd = [anObject('v1', 'Pod', { name: 'bare', namespace: 'shop' }), anObject('v1', 'Pod', { name: 'odd', namespace: 'shop', spec: { containers: 'none', volumes: 7 } as never, status: { conditions: {}, containerStatuses: [null, 3] } as never })];
    const findings = await diagnosed([aNode(), ...odd]);
    expect(told(findings).length).toBeGreaterThan(0);
  });

  it('reads everything when a namespace is named, since its causes may lie in others, and nothing else when it shall be alone', async () => {
    const reader = memoryCluster([...aWorkload('web', {}), ...aWorkload('pay', { namespace: 'bank' }), ...aWorkload('dns', { namespace: 'kube-system' })], { source });
    const read = async (options: { alone?: boolean }) => (await collectFacts(reader, { namespace: 'shop', ...options })).workloads.map((w) => w.key).sort();
    expect(await read({})).toEqual(['Deployment bank/pay', 'Deployment kube-system/dns', 'Deployment shop/web']);
    expect(await read({ alone: true })).toEqual(['Deployment kube-system/dns', 'Deployment shop/web']);
  });

  it('reads with the rights of a Role what it may of the namespace and of those it calls, says what it could not, and accuses nothing unread', async () => {
    const calls = (...hosts: string[]) => ({ env: hosts.map((host, i) => ({ name: `URL_${i}`, value: `http://${host}.svc.cluster.local:8080` })) });
    const inside = aWorkload('web', { containers: [{ ready: false, spec: calls('pay.bank', 'mail.post') }] });
    const bank = aWorkload('pay', { namespace: 'bank', containers: [crashed(137, { reason: 'OOMKilled' })] });
    const service = anObject('v1', 'Service', { name: 'pay', namespace: 'bank', spec: { selector: { app: 'pay' }, ports: [{ port: 8080 }] } });
    const cluster = memoryCluster([...inside, ...bank, service, aNode()], { source: { ...source, type: 'live' } });
    const roles = new Set(['shop', 'bank']);
    const reader: ClusterReader = {
      ...cluster,
      list: (kind, options = {}) => {
        if (!roles.has(options.namespace ?? '')) throw new UnknownKindError(kind.kind, `forbidden: cannot list ${kind.kind} in ${options.namespace ?? 'the cluster'}`);
        return cluster.list(kind, options);
      },
    };
    const facts = await collectFacts(reader, { namespace: 'shop', now: () => new Date(testNow) });
    expect(facts.workloads.map((w) => w.key).sort()).toEqual(['Deployment bank/pay', 'Deployment shop/web']);
    expect(facts.unknowns[0]).toEqual({ subject: expect.stringMatching(/^ConfigMap, .* more kinds in namespaces other than bank, shop$/), reason: expect.stringContaining('in the cluster') });
    expect(facts.unknowns).toContainEqual({ subject: 'Node objects', reason: expect.stringContaining('forbidden') });
    expect(facts.objects.isMissing('Service', 'post', 'mail')).toBe(false);
    expect(facts.objects.isMissing('Service', 'bank', 'mail')).toBe(true);
    expect(told(diagnose(facts).findings)).toEqual(['oom_killed Deployment bank/pay']);
  });

  it('counts of the named namespace alone, though kube-system is read with it', async () => {
    const [web] = aWorkload('web', {});
    const [dns] = aWorkload('dns', { namespace: 'kube-system' });
    const events = [web, dns, dns].map((object, i) => anEvent(object as ReturnType<typeof aNode>, 'FailedCreate', `m ${i}`, { minutes: 1, times: 1 }));
    const reader = memoryCluster([...aWorkload('web', {}), ...aWorkload('dns', { namespace: 'kube-system' }), ...events], { source });
    const facts = await collectFacts(reader, { namespace: 'shop' });
    expect(diagnose(facts).figures).toMatchObject({ workloads: 1, pods: 1, events: 1 });
    expect(['shop', 'kube-system', 'typo'].map((namespace) => facts.objects.hasNamespace(namespace))).toEqual([true, true, false]);
  });

  it('takes a lone pod that is ready for well where the other pods could not be read', async () => {
    const folder = await aFolder({ 'nodes.json': JSON.stringify({ kind: 'NodeList', items: [aNode()] }), 'shop/pods.json': `{"kind":"PodList","items":[${JSON.stringify(aPod('one', {}))},{"metadata":` });
    const { facts } = await collectDump(folder);
    expect(diagnose(facts).findings).toEqual([]);
    expect(facts.objects.knows('Pod')).toBe(false);
  });

  it('shows a reason that stands in the pod\'s own status, and does not blame its program', async () => {
    const ended = aPod('one', { containers: [{ ...crashed(255), ready: false }], podStatus: { phase: 'Failed', reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' } });
    const [finding] = await diagnosed([aNode(), ended]);
    expect(finding).toMatchObject({ cause: 'unknown', title: expect.stringContaining('imminent node shutdown') });
    expect(finding?.evidence[0]).toMatchObject({ at: '.status.phase', value: expect.stringMatching(/^Failed Terminated Pod was/) });
  });

  it('says of a line that is no text how long it is', async () => {
    const cluster = memoryCluster([aNode(), ...aWorkload('web', { containers: [crashed(1)] })], { source, logs: { 'shop/web-aaaaa-0/app': ['\u001b[32mINFO\u001b[0m\tlistening\ton\t:8080', '\ufffd\u0001q'.repeat(200)] } });
    const facts = await collectFacts(cluster);
    expect(facts.logs.get('shop', 'web-aaaaa-0', 'app', 'current')?.lines).toEqual(['\u001b[32mINFO\u001b[0m\tlistening\ton\t:8080', '(600 characters of binary data)']);
  });

  it('goes by the cluster\'s clocks where they are ahead of ours, and not by the one that is off', async () => {
    const lease = (name: string, renewTime: string) => anObject('coordination.k8s.io/v1', 'Lease', { name, namespace: 'kube-node-lease', spec: { renewTime } });
    const leases = [lease('a', '2026-01-01T13:00:00Z'), lease('b', '2026-01-01T13:00:05Z'), lease('c', '2093-01-01T00:00:00Z')];
    const facts = await collectFacts(memoryCluster([...aWorkload('web', {}), ...leases], { source }));
    expect(new Date(facts.atMs).toISOString()).toBe('2026-01-01T13:00:05.000Z');
  });

  it('diagnoses a dump whose files are cut off or no JSON, and says which', async () => {
    const [deployment, replicaSet, pod] = aWorkload('web', { containers: [crashed(137, { reason: 'OOMKilled' })] });
    const list = (kind: string, ...items: unknown[]) => JSON.stringify({ kind: `${kind}List`, apiVersion: 'v1', items });
    const folder = await aFolder({ 'nodes.json': list('Node', aNode()), 'shop/pods.json': list('Pod', pod), 'shop/deployments.json': list('Deployment', deployment), 'shop/replicasets.json': list('ReplicaSet', replicaSet), 'shop/services.json': '{"kind":"ServiceList","items":[{"metadata":', 'shop/events.json': 'this is no JSON' });
    const { facts, reader } = await collectDump(folder);
    expect(told(diagnose(facts).findings)).toEqual(['oom_killed Deployment shop/web']);
    expect(facts.unknowns.map((u) => u.subject)).toEqual(expect.arrayContaining(['file shop/services.json', 'file shop/events.json', 'Event objects']));
    await reader.close();
  });
});

describe('probes.json', () => {
  it('is read beside a dump, and a wrong one is refused with the field', async () => {
    const folder = await aFolder({ 'probes.json': '{"kind":"ProbeResults","version":1,"nodeServices":[{"node":"n","service":"kubelet","active":false}]}' });
    expect((await readProbesOf(folder))?.nodeServices).toHaveLength(1);
    expect(await readProbesOf(await aFolder({}))).toBeUndefined();
    await expect(readProbesOf(await aFolder({ 'probes.json': '{' }))).rejects.toThrow('is not JSON');
    expect(() => parseProbes({ kind: 'ProbeResults', version: 1, connectivity: [{ namespace: 'a' }] })).toThrow('connectivity.0.service');
    expect(() => parseProbes({ kind: 'ProbeResults', version: 2 })).toThrow('version');
  });
});

describe('quantity', () => {
  it.each([['250m', 0.25], ['1Gi', 2 ** 30], ['1.5', 1.5], ['2e3', 2000], ['64Mi', 64 * 2 ** 20], [3, 3], ['', undefined], ['1Zi', undefined], [null, undefined]])('%j is %p', (text, value) => {
    expect(quantity(text)).toBe(value);
  });

  it('knows the time of its tests', () => expect(minutesAgo(60)).toBe('2026-01-01T11:00:00.000Z'));
});
