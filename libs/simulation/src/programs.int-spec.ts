import { execFileSync } from 'node:child_process';
import type { Container, ContainerStatus, Job, Pod, PodSpec } from './cluster/types';
import { isServed, programsUnderTest, type ProgramsUnderTest } from './programs-under-test';
import { eventually, hasKubeTools } from './testing';

let under: ProgramsUnderTest;
let counter = 0;

beforeAll(async () => {
  const opened = await programsUnderTest();
  if (opened) under = opened;
}, 60_000);
afterAll(() => under?.close());

/** A test that needs kubectl and Linux. */
const itWithPrograms = hasKubeTools() && process.platform === 'linux' ? it : it.skip;
const on = (name: string, fn: () => Promise<void>) => itWithPrograms(name, fn, 30_000);

const ns = 'default';
const unique = (name: string) => `${name}-${(counter += 1)}`;
const main: Container = { name: 'main', image: 'registry.example/some/where/larry-01:9', args: ['apps/larry-01/dist/main.js'] };
const env = (values: Record<string, string>) => Object.entries(values).map(([name, value]) => ({ name, value }));
const aPod = (name: string, mode: string, container: Partial<Container> = {}, spec: Partial<PodSpec> = {}) => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } },
  spec: { containers: [{ ...main, ...container, env: [...env({ MODE: mode, LARRY_LISTEN: '0.0.0.0' }), ...(container.env ?? [])] }], terminationGracePeriodSeconds: 5, ...spec },
});
const pods = () => under.cluster.server.objects('pods', ns) as unknown as Pod[];
const pod = (name: string) => pods().find((each) => each.metadata.name === name);
const status = (name: string): ContainerStatus | undefined => pod(name)?.status?.containerStatuses?.[0];
const job = (name: string) => (under.cluster.server.objects('jobs.batch', ns) as unknown as Job[]).find((each) => each.metadata.name === name);
const events = (name: string) => under.cluster.server.objects('events', ns).filter((event) => (event['involvedObject'] as { name: string }).name === name).map((event) => `${String(event['reason'])}: ${String(event['message'])}`);
const log = async (name: string, ...more: string[]) => (await under.kubectl('logs', name, ...more)).out;
const ready = (name: string) => eventually(() => expect(status(name)?.ready).toBe(true));

async function started(mode: string, container: Partial<Container> = {}, spec: Partial<PodSpec> = {}): Promise<string> {
  const name = unique(mode);
  await under.apply(aPod(name, mode, container, spec));
  return name;
}

/** Processes of this machine whose environment names the pod. */
const processesOf = (name: string) => execFileSync('sh', ['-c', `grep -lsz '^HOSTNAME=${name}$' /proc/[0-9]*/environ || true`], { encoding: 'utf8' }).split('\n').filter(Boolean);

describe('a pod of our own image', () => {
  on('runs the built program with its environment, its volumes and its arguments', async () => {
    await under.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'word' }, stringData: { w: 'sesame' } });
    await under.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { 'a.txt': 'content' } });
    const name = await started(
      'env',
      {
        args: ['apps/larry-01/dist/main.js', '--file', '/etc/settings/a.txt', '$(WORD)!'],
        env: [
          { name: 'WORD', valueFrom: { secretKeyRef: { name: 'word', key: 'w' } } },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } },
          ...env({ URL: 'redis://web-of-nobody.default.svc.cluster.local:6379/0', PLACE: '/opt/larry/plans', SHOW: 'WORD,NODE,MEMORY,URL,PLACE,LARRY_LISTEN,PATH' }),
        ],
        resources: { limits: { memory: '300Mi' } },
        volumeMounts: [{ name: 'settings', mountPath: '/etc/settings' }],
      },
      { volumes: [{ name: 'settings', configMap: { name: 'settings' } }] },
    );
    await ready(name);
    const ip = pod(name)?.status?.podIP ?? '';
    expect(ip).toMatch(/^127\.\d+\.\d+\.\d+$/);
    await eventually(async () => expect(await log(name)).toContain('args='));
    const lines = (await log(name)).split('\n');
    expect(lines).toEqual(expect.arrayContaining(['WORD=sesame', `NODE=${pod(name)?.spec.nodeName}`, 'MEMORY=314572800', `LARRY_LISTEN=${ip}`, 'PATH=/usr/local/bin:/usr/bin:/bin']));
    expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/^URL=redis:\/\/127\.\d+\.\d+\.\d+:6379\/0$/), expect.stringMatching(/^PLACE=.*\/image\/plans$/), expect.stringMatching(/^args=--file .*\/volumes\/settings\/a\.txt sesame!$/)]));
  });

  on('is ready by its probe, serves its Service, and is gone from it when it is deleted', async () => {
    const labels = { app: unique('web') };
    const probe = { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 };
    const container = { ...main, env: env({ MODE: 'serve', LARRY_LISTEN: '0.0.0.0' }), ports: [{ name: 'http', containerPort: 8080 }], readinessProbe: probe };
    await under.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: labels.app }, spec: { selector: labels, ports: [{ port: 18080, targetPort: 'http' }] } });
    await under.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: labels.app }, spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } } });
    expect((await under.kubectl('rollout', 'status', `deployment/${labels.app}`, '--timeout=25s')).out).toContain('successfully rolled out');
    const asker = await started('env', { env: env({ SHOW: 'URL', URL: `http://${labels.app}.default.svc:18080/` }) });
    await eventually(async () => expect(await log(asker)).toContain('URL=http://127.'));
    const url = /URL=(.*)/.exec(await log(asker))?.[1] ?? '';
    const answers = () => Promise.all(Array.from({ length: 6 }, async () => (await fetch(url, { headers: { connection: 'close' } })).text()));
    await eventually(async () => expect(new Set(await answers()).size).toBe(2));
    await under.kubectl('scale', `deployment/${labels.app}`, '--replicas=0');
    await eventually(async () => expect(await isServed(new URL(url).host)).toBe(false));
  });

  on('has a log that is followed to the end of the container, and the log before it', async () => {
    const name = await started('serve', {}, { restartPolicy: 'Always' });
    await ready(name);
    const followed = under.follow('logs', '-f', '-l', `app=${name}`);
    const [pid = ''] = processesOf(name).map((file) => file.split('/')[2] ?? '');
    await eventually(() => expect(followed.said()).toBe('mode serve\n'));
    process.kill(Number(pid), 'SIGTERM');
    expect((await followed.ended).out).toBe('mode serve\nasked to stop\n');
    await eventually(() => expect(status(name)).toMatchObject({ restartCount: 1, ready: true, lastState: { terminated: { exitCode: 0, reason: 'Completed' } } }));
    expect(await log(name, '--previous')).toContain('asked to stop');
  });

  on('ends with the code or the signal of its process, and is not started again where it must not be', async () => {
    const name = await started('exit', { env: env({ CODE: '7' }) }, { restartPolicy: 'Never' });
    await eventually(() => expect(pod(name)?.status).toMatchObject({ phase: 'Failed', containerStatuses: [{ restartCount: 0, state: { terminated: { exitCode: 7, reason: 'Error' } } }] }));
    const killed = await started('serve', {}, { restartPolicy: 'Never' });
    await ready(killed);
    process.kill(Number(processesOf(killed)[0]?.split('/')[2]), 'SIGKILL');
    await eventually(() => expect(status(killed)?.state.terminated).toMatchObject({ exitCode: 137 }));
  });

  on('waits for a Secret that is missing, in the words of the kubelet, and starts when it is there', async () => {
    const secret = unique('later');
    const name = await started('env', { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: secret, key: 'k' } } }, ...env({ SHOW: 'X' })] });
    await eventually(() => expect(status(name)?.state.waiting).toEqual({ reason: 'CreateContainerConfigError', message: `secret "${secret}" not found` }));
    await under.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: secret }, stringData: { other: 'x' } });
    await eventually(() => expect(status(name)?.state.waiting?.message).toBe(`couldn't find key k in Secret default/${secret}`));
    await under.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: secret }, stringData: { other: 'x', k: 'found' } });
    await ready(name);
    await eventually(async () => expect(await log(name)).toContain('X=found'));
  });

  on('sees changes of a mounted ConfigMap', async () => {
    const map = unique('map');
    const write = (text: string) => under.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: map }, data: { f: text } });
    await write('one');
    const name = await started('file', { env: env({ FILE: '/etc/m/f' }), volumeMounts: [{ name: 'm', mountPath: '/etc/m' }] }, { volumes: [{ name: 'm', configMap: { name: map } }] });
    await eventually(async () => expect(await log(name)).toContain('file says one'));
    await write('two');
    await eventually(async () => expect(await log(name)).toContain('file says two'));
  });

  on('speaks to the API server as its service account, until the pod is gone', async () => {
    const name = await started('account', { env: env({ LARRY_SERVICE_ACCOUNT_DIR: '/var/run/secrets/kubernetes.io/serviceaccount' }) });
    await eventually(async () => expect(await log(name)).toContain('I am system:serviceaccount:default:default in default'));
    const token = /with (\S+)/.exec(await log(name))?.[1] ?? '';
    const ask = () => fetch(`${under.cluster.url}/version`, { headers: { authorization: `Bearer ${token}` } }).then((answer) => answer.status);
    expect(await ask()).toBe(200);
    await under.kubectl('delete', 'pod', name);
    expect(await ask()).toBe(401);
  });

  on('is killed when its grace is over, and leaves no process', async () => {
    const name = await started('deaf', {}, { terminationGracePeriodSeconds: 1 });
    await ready(name);
    await eventually(async () => expect(await log(name)).toContain('mode deaf'));
    expect(processesOf(name)).toHaveLength(1);
    const followed = under.kubectl('logs', '-f', name);
    const begun = Date.now();
    expect((await under.kubectl('delete', 'pod', name)).out).toContain('deleted');
    expect(Date.now() - begun).toBeGreaterThan(900);
    expect((await followed).out).toContain('heard, and does not mind');
    await eventually(() => expect(processesOf(name)).toEqual([]));
  });

  on('is killed when it needs more memory than its limit', async () => {
    const name = await started('greedy', { resources: { limits: { memory: '160Mi' } } }, { restartPolicy: 'Never' });
    await eventually(() => expect(status(name)?.state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' }));
  });

  on('is started again when its liveness fails', async () => {
    const name = await started('serve', { livenessProbe: { httpGet: { path: '/sick', port: 8080 }, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1 } });
    await eventually(() => expect(status(name)?.restartCount).toBeGreaterThan(0));
    await eventually(() => expect(events(name)).toEqual(expect.arrayContaining([expect.stringMatching(/^Unhealthy: Liveness probe failed: /), 'Killing: Container main failed liveness probe, will be restarted'])));
  });
});

describe('what the simulation does not start', () => {
  itWithPrograms.each<[string, Partial<Container>, string]>([
    ['a file that is no built program', { args: ['elsewhere.js'] }, 'args[0] must name a built program as apps/larry-01/dist/main.js, not "elsewhere.js"'],
    ['a way out of the built programs', { args: ['apps/larry-01/dist/../../../elsewhere.js'] }, 'args[0] must name a built program'],
    ['a program that is not built', { args: ['apps/larry-01/dist/none.js'] }, 'apps/larry-01/dist/none.js is not there: build it (npm run build)'],
    ['another command', { command: ['sh', '-c'], args: ['apps/larry-01/dist/main.js'] }, 'the simulation starts only our own programs by node, not sh -c'],
    ['a module that node is told to load', { env: env({ NODE_OPTIONS: '--require /tmp/x.js' }) }, '--require in NODE_OPTIONS'],
    ['a library that the loader is told to load', { env: env({ LD_PRELOAD: '/tmp/x.so' }) }, 'LD_PRELOAD'],
  ])('%s', async (_, container, message) => {
    const name = await started('serve', container);
    await eventually(() => expect(status(name)?.state.waiting).toMatchObject({ reason: 'CreateContainerError', message: expect.stringContaining(message) }));
    expect(processesOf(name)).toEqual([]);
  });

  on('a command inside of a pod', async () => {
    const name = await started('serve');
    await ready(name);
    expect(await under.kubectl('exec', name, '--', 'ls')).toMatchObject({ code: 1, out: expect.stringContaining('does not serve pods/exec') });
  });
});

describe('images that are slow or not there', () => {
  const fault = (data: Record<string, string>) => under.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'larry-simulation', namespace: 'kube-system' }, data });
  afterEach(async () => {
    if (under) await fault({});
  });

  on('a slow pull keeps the container creating', async () => {
    await fault({ 'pull-seconds.larry-01': '2' });
    const name = await started('serve');
    await eventually(() => expect(events(name)).toEqual(expect.arrayContaining([expect.stringContaining('Pulling: Pulling image')])));
    expect(status(name)?.state.waiting?.reason).toBe('ContainerCreating');
    await ready(name);
    await eventually(() => expect(events(name)).toEqual(expect.arrayContaining([expect.stringMatching(/^Pulled: Successfully pulled image ".*" in 2s/)])));
  });

  on('a pull that fails is tried again in the words of the kubelet', async () => {
    await fault({ 'pull-error.larry-01': 'manifest unknown' });
    const name = await started('serve');
    await eventually(() => expect(status(name)?.state.waiting).toMatchObject({ reason: 'ImagePullBackOff', message: expect.stringContaining('manifest unknown') }));
    expect(events(name)).toEqual(expect.arrayContaining(['Failed: Error: ErrImagePull']));
  });
});

describe('a Job of our own image', () => {
  const aJob = (name: string, mode: string, spec: Partial<Job['spec']> = {}, container: Partial<Container> = {}) => ({
    apiVersion: 'batch/v1', kind: 'Job', metadata: { name },
    spec: { backoffLimit: 0, podReplacementPolicy: 'Failed', ...spec, template: { metadata: { labels: { app: name } }, spec: { ...aPod(name, mode, container).spec, restartPolicy: 'Never' } } },
  });
  const ended = (name: string, type: string, reason: string) => eventually(() => expect(job(name)?.status?.conditions).toEqual(expect.arrayContaining([expect.objectContaining({ type, status: 'True', reason })])));
  const podsOf = (name: string) => pods().filter((each) => each.metadata.labels?.['app'] === name);

  on('completes, and goes when its time is over', async () => {
    const name = unique('good');
    await under.apply(aJob(name, 'exit', { ttlSecondsAfterFinished: 1 }, { env: env({ CODE: '0' }) }));
    await ended(name, 'Complete', 'CompletionsReached');
    expect(job(name)?.status).toMatchObject({ succeeded: 1 });
    await eventually(() => expect([job(name), ...podsOf(name)]).toEqual([undefined]));
  });

  on('fails at its deadline, when its pod has ended', async () => {
    const name = unique('late');
    await under.apply(aJob(name, 'serve', { activeDeadlineSeconds: 2 }));
    await ended(name, 'Failed', 'DeadlineExceeded');
    expect(podsOf(name)).toEqual([]);
    expect(processesOf(name)).toEqual([]);
  });

  on('fails by a pod that somebody kills, and does its work once', async () => {
    const name = unique('cut');
    await under.apply(aJob(name, 'deaf'));
    await eventually(() => expect(podsOf(name)[0]?.status?.phase).toBe('Running'));
    await under.kubectl('delete', 'pod', '-l', `app=${name}`, '--grace-period=1');
    await ended(name, 'Failed', 'BackoffLimitExceeded');
    expect(job(name)?.status).toMatchObject({ failed: 1 });
    expect(events(name).filter((event) => event.startsWith('SuccessfulCreate'))).toHaveLength(1);
  });

  on('says what a quota refuses, and goes on when there is room', async () => {
    await under.kubectl('create', 'quota', 'none', '--hard=pods=0');
    const name = unique('refused');
    await under.apply(aJob(name, 'exit', {}, { env: env({ CODE: '0' }) }));
    await eventually(() => expect(events(name)).toEqual(expect.arrayContaining([expect.stringMatching(/^FailedCreate: Error creating: .*exceeded quota: none/)])));
    await under.kubectl('delete', 'quota', 'none');
    await ended(name, 'Complete', 'CompletionsReached');
  });

  on('loses its pod to a drain by kubectl, which a disruption budget holds up', async () => {
    const name = unique('drained');
    await under.apply({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name }, spec: { minAvailable: 1, selector: { matchLabels: { app: name } } } });
    await under.apply(aJob(name, 'serve'));
    await eventually(() => expect((under.cluster.server.objects('poddisruptionbudgets.policy', ns)[0]?.['status'] as { currentHealthy: number }).currentHealthy).toBe(1));
    const node = podsOf(name)[0]?.spec.nodeName ?? '';
    const drain = () => under.kubectl('drain', node, '--ignore-daemonsets', '--force', '--delete-emptydir-data', '--timeout=3s');
    expect((await drain()).out).toContain("Cannot evict pod as it would violate the pod's disruption budget");
    await under.kubectl('delete', 'pdb', name);
    expect((await drain()).out).toContain('drained');
    await under.kubectl('uncordon', node);
    await eventually(() => expect(job(name)?.status?.conditions?.map((each) => each.type)).toEqual(expect.arrayContaining(['Complete'])));
    expect(processesOf(name)).toEqual([]);
  });
});
