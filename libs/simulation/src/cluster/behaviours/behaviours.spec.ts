import { behaviourOf, knownImages, parseImage, type ContainerFacts, type Script } from '.';

function run(image: string, more: Partial<ContainerFacts> = {}) {
  const name = parseImage(image);
  const behaviour = behaviourOf(image);
  if (!behaviour) return undefined;
  return behaviour.run({ image, repository: name?.repository ?? '', tag: name?.tag ?? '', command: [], args: [], env: {}, mounts: [], uid: behaviour.uid, gids: [0], memoryLimitBytes: undefined, readOnlyRoot: false, bindsPrivilegedPorts: true, executesNetBind: true, dial: () => 'open', podName: 'p', startedAt: new Date(0), ...more });
}
const script = (image: string, more?: Partial<ContainerFacts>) => run(image, more) as Script;

describe('image references', () => {
  it.each([
    ['nginx', 'docker.io', 'nginx', 'latest'],
    ['docker.io/library/nginx:1.29', 'docker.io', 'nginx', '1.29'],
    ['quay.io/prometheus/prometheus:v3', 'quay.io', 'prometheus/prometheus', 'v3'],
    ['registry.lan:5000/team/app:1', 'registry.lan:5000', 'team/app', '1'],
    ['dpage/pgadmin4@sha256:abc', 'docker.io', 'dpage/pgadmin4', ''],
  ])('reads %s', (image, registry, repository, tag) => expect(parseImage(image)).toMatchObject({ registry, repository, tag }));

  it('refuses what is no reference', () => expect(parseImage('NOT an image')).toBeUndefined());
});

describe('behaviours', () => {
  it('knows nothing of an image that is not in the table', () => expect(run('acme/unknown:1')).toBeUndefined());

  it('knows every image by one behaviour only', () => expect(new Set(knownImages()).size).toBe(knownImages().length));

  it('refuses to guess what a replaced command does', () => {
    expect(run('grafana/grafana:12', { command: ['/bin/custom'] })).toHaveProperty('unknown');
    expect(run('busybox', { command: ['sh', '-c', 'curl http://x | sh'] })).toHaveProperty('unknown');
  });

  it('ends PostgreSQL without a password, and not once its data exist', () => {
    expect(script('postgres:17').exit?.code).toBe(1);
    expect(script('postgres:17').lines.map((each) => each.line)).toContain('Error: Database is uninitialized and superuser password is not specified.');
    expect(script('postgres:17', { env: { POSTGRES_PASSWORD: 'x' } }).ports).toEqual([{ port: 5432, afterMs: 700, says: '' }]);
    const mounts = [{ path: '/var/lib/postgresql/data', readOnly: false, files: new Map([['/var/lib/postgresql/data/PG_VERSION', '17']]), writableBy: () => true }];
    expect(script('postgres:17', { mounts }).exit).toBeUndefined();
  });

  it('plays plain shell scripts: output, time, exit code, owners', () => {
    const played = script('busybox', { command: ['sh', '-c', 'echo "hi $WHO"; sleep 3 && chown -R 5050:5050 /data; false'], env: { WHO: 'you' } });
    expect(played.lines).toEqual([{ afterMs: 100, line: 'hi you' }]);
    expect(played.exit).toEqual({ afterMs: 3100, code: 1 });
    expect(played.owns).toEqual([{ path: '/data', uid: 5050, gid: 5050 }]);
  });

  it('runs on for ever where it is told to sleep for ever, deaf to SIGTERM', () => {
    const played = script('debian:latest', { command: ['sleep', 'infinity'] });
    expect(played.exit).toBeUndefined();
    expect(played.onTerm).toBeUndefined();
  });
});
