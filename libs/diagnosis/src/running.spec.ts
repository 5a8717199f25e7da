import { aService, aWorkload, anEvent, aNode, crashed, diagnosed, told, minutesAgo } from './testing';

const web = (parts: Parameters<typeof aWorkload>[1]) => aWorkload('web', parts);
const podOf = (objects: ReturnType<typeof aWorkload>) => objects[2] as (typeof objects)[number];

describe('containers that run and end', () => {
  it('finds nothing in a healthy cluster, whatever old events say', async () => {
    const objects = web({ replicas: 2 });
    const old = anEvent(podOf(objects), 'Unhealthy', 'Readiness probe failed: dial tcp 10.42.0.9:8080: connect: connection refused', { minutes: 59 });
    expect(await diagnosed([aNode(), ...objects, aService({ name: 'web', namespace: 'shop' }), old])).toEqual([]);
  });

  it('names the memory limit when the status says OOMKilled', async () => {
    const objects = web({ containers: [crashed(137, { reason: 'OOMKilled', spec: { resources: { limits: { memory: '64Mi' } } } })] });
    const findings = await diagnosed([aNode(), ...objects]);
    expect(told(findings)).toEqual(['oom_killed Deployment shop/web']);
    expect(findings[0]?.remedy).toMatchObject({ layer: 'patch', patch: [{ path: '/spec/template/spec/containers/0/resources/limits/memory', value: '128Mi' }] });
    expect(findings[0]?.symptoms).toContain('Pod shop/web-aaaaa-0');
  });

  it('sees the memory limit in the runtime\'s own event when the status says only Error', async () => {
    const objects = web({ containers: [crashed(1)] });
    const event = anEvent(aNode(), 'OOMKilling', `Memory cgroup out of memory: Killed process 4242 (node) in pod${podOf(objects).metadata.uid}`);
    expect(told(await diagnosed([aNode(), ...objects, event]))).toEqual(['oom_killed Deployment shop/web']);
  });

  const probed = (probe: unknown, kind: 'livenessProbe' | 'readinessProbe', message: string) => {
    const spec = { ports: [{ containerPort: 8080 }], [kind]: probe };
    const container = kind === 'livenessProbe' ? crashed(137, { spec }) : { spec, ready: false };
    const objects = web({ containers: [container] });
    return diagnosed([aNode(), ...objects, anEvent(podOf(objects), 'Unhealthy', message, { times: 40 })]);
  };

  it.each([
    ['livenessProbe', { httpGet: { port: 9999, path: '/' } }, 'Liveness probe failed: Get "http://10.42.0.9:9999/": dial tcp 10.42.0.9:9999: connect: connection refused', 'liveness_probe_incorrect_port'],
    ['livenessProbe', { httpGet: { port: 8080, path: '/nope' } }, 'Liveness probe failed: HTTP probe failed with statuscode: 404', 'liveness_probe_incorrect_path'],
    ['livenessProbe', { httpGet: { port: 8080, path: '/', scheme: 'HTTPS' } }, 'Liveness probe failed: Get "https://10.42.0.9:8080/": http: server gave HTTP response to HTTPS client', 'liveness_probe_incorrect_protocol'],
    ['livenessProbe', { httpGet: { port: 8080, path: '/' }, timeoutSeconds: 1 }, 'Liveness probe failed: Get "http://10.42.0.9:8080/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)', 'liveness_probe_incorrect_timing'],
    ['livenessProbe', { httpGet: { port: 8080, path: '/' }, initialDelaySeconds: 1, periodSeconds: 1 }, 'Liveness probe failed: Get "http://10.42.0.9:8080/": dial tcp 10.42.0.9:8080: connect: connection refused', 'liveness_probe_incorrect_timing'],
    ['readinessProbe', { tcpSocket: { port: 9999 } }, 'Readiness probe failed: dial tcp 10.42.0.9:9999: connect: connection refused', 'readiness_probe_incorrect_port'],
    ['readinessProbe', { httpGet: { port: 8080, path: '/ready' } }, 'Readiness probe failed: HTTP probe failed with statuscode: 404', 'readiness_probe_incorrect_path'],
    ['readinessProbe', { httpGet: { port: 8080, path: '/' } }, 'Readiness probe failed: Get "http://10.42.0.9:8080/": net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x00\\x00\\x06\\x04"', 'readiness_probe_incorrect_protocol'],
  ] as const)('%s %j: %s', async (kind, probe, message, cause) => {
    expect(told(await probed(probe, kind, message))).toEqual([`${cause} Deployment shop/web`]);
  });

  it('blames a liveness probe also in the moment in which the container it killed runs again, and is ready', async () => {
    const spec = { ports: [{ containerPort: 8080 }], livenessProbe: { httpGet: { port: 8080, path: '/nope' } } };
    const last = { terminated: { exitCode: 143, reason: 'Error', startedAt: minutesAgo(5), finishedAt: minutesAgo(0.2) } };
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: minutesAgo(0.1) };
    const objects = web({ containers: [{ spec, last, restarts: 4, state: { running: { startedAt: minutesAgo(0.1) } }, ready: true }], podStatus: { conditions: [{ type: 'PodScheduled', status: 'True' }, ready] } });
    const event = anEvent(podOf(objects), 'Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 404');
    expect(told(await diagnosed([aNode(), ...objects, event]))).toEqual(['liveness_probe_incorrect_path Deployment shop/web']);
  });

  it('does not blame a probe that is answered with 500: that is the application\'s own word', async () => {
    const findings = await probed({ httpGet: { port: 8080, path: '/' } }, 'readinessProbe', 'Readiness probe failed: HTTP probe failed with statuscode: 503');
    expect(told(findings)).toEqual(['application_error Deployment shop/web']);
  });

  it('finds the sidecar that has the port', async () => {
    const objects = web({ containers: [crashed(1, { name: 'app' }), { name: 'istio-proxy' }] });
    const logs = { 'shop/web-aaaaa-0/app': 'Error: listen EADDRINUSE: address already in use :::15090' };
    expect(told(await diagnosed([aNode(), ...objects], { logs }))).toEqual(['service_sidecar_port_conflict Deployment shop/web']);
  });

  it('finds a Deployment without replicas when somebody calls it, and leaves one that nobody needs', async () => {
    const cart = [...aWorkload('cart', { replicas: 0 }), aService({ name: 'cart', namespace: 'shop' })];
    const caller = web({ containers: [{ spec: { env: [{ name: 'CART_ADDR', value: 'cart:80' }] } }] });
    expect(told(await diagnosed([aNode(), ...cart, ...caller]))).toEqual(['deployment_zero_replicas Deployment shop/cart']);
    expect(await diagnosed([aNode(), ...cart])).toEqual([]);
  });
});

describe('databases', () => {
  const database = (engine: 'mysql' | 'postgres', port: number) => [...aWorkload('db', { containers: [{ spec: { image: `${engine}:8`, ports: [{ containerPort: port }] } }] }), aService({ name: 'db', namespace: 'shop', spec: { ports: [{ port }] } })];
  const client = (value: string) => web({ containers: [crashed(1, { name: 'app', spec: { env: [{ name: 'DB_ADDR', value }] } })] });

  it.each([
    ['mysql', 3306, 'db:3306', "ERROR 1045 (28000): Access denied for user 'shop'@'10.42.0.9' (using password: YES)", 'mysql_invalid_credentials Deployment shop/web'],
    ['postgres', 5432, 'db:5432', 'pq: password authentication failed for user "shop"', 'postgres_invalid_credentials Deployment shop/web'],
    ['mysql', 3306, 'db:3307', "Can't connect to MySQL server on 'db:3307' (110)", 'mysql_invalid_port Deployment shop/web'],
    ['postgres', 5432, 'db:5433', 'connection to server at "db" (10.43.0.5), port 5433 failed: Connection refused', 'postgres_invalid_port Deployment shop/web'],
    ['postgres', 5432, 'db:5432', 'FATAL: sorry, too many clients already', 'db_connection_exhaustion Deployment shop/db'],
    ['mysql', 3306, 'db:3306', 'Error 1290 (HY000): The MySQL server is running with the --read-only option so it cannot execute this statement', 'db_read_only Deployment shop/db'],
  ] as const)('%s at %s, called at %s: %s', async (engine, port, address, line, expected) => {
    const findings = await diagnosed([aNode(), ...database(engine, port), ...client(address)], { logs: { 'shop/web-aaaaa-0/app': line } });
    expect(told(findings)).toEqual([expected]);
  });

  it('makes the callers of a database that was killed symptoms of the database', async () => {
    const db = [...aWorkload('db', { containers: [crashed(137, { name: 'app', reason: 'OOMKilled', spec: { image: 'postgres:16', resources: { limits: { memory: '32Mi' } } } })] }), aService({ name: 'db', namespace: 'shop', spec: { ports: [{ port: 5432 }] } })];
    const logs = { 'shop/web-aaaaa-0/app': 'connection to server at "db" (10.43.0.5), port 5432 failed: Connection refused' };
    const findings = await diagnosed([aNode(), ...db, ...client('db:5432')], { logs });
    expect(told(findings)).toEqual(['oom_killed Deployment shop/db']);
    expect(findings[0]?.symptoms).toEqual(expect.arrayContaining(['Service shop/db', 'Deployment shop/web']));
  });

  it('does not take a line of the start for now: a pod that runs and connected since is well', async () => {
    const logs = { 'shop/web-aaaaa-0/app': ['dial tcp: connection refused db:5432', 'dial tcp: connection refused db:5432', 'connected to db:5432', ...Array.from({ length: 30 }, (_, i) => `GET / 200 ${i}`)] };
    const objects = web({ containers: [{ name: 'app', spec: { env: [{ name: 'DB_ADDR', value: 'db:5432' }] } }] });
    expect(await diagnosed([aNode(), ...database('postgres', 5432), ...objects], { logs })).toEqual([]);
  });
});

describe('staleness', () => {
  it('leaves pods of a superseded ReplicaSet out', async () => {
    const objects = web({});
    const [deployment] = objects;
    const oldSet = { ...(objects[1] as (typeof objects)[number]) };
    oldSet.metadata = { ...oldSet.metadata, name: 'web-old', uid: 'uid-old', annotations: { 'deployment.kubernetes.io/revision': '0' } };
    expect(deployment).toBeDefined();
    const event = anEvent(oldSet, 'FailedCreate', 'Error creating: pods "web-old-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=4', { minutes: 20 });
    expect(await diagnosed([aNode(), ...objects, oldSet, event])).toEqual([]);
  });

  it('waits for a pod that is a minute old', async () => {
    const objects = web({ ageMinutes: 1, containers: [{ state: { waiting: { reason: 'ContainerCreating' } } }] });
    expect(await diagnosed([aNode(), ...objects])).toEqual([]);
  });

  it('never calls a workload healthy that is not: the cause is then unknown', async () => {
    const objects = web({ containers: [{ state: { waiting: { reason: 'ContainerCreating' } } }] });
    expect(told(await diagnosed([aNode(), ...objects]))).toEqual(['unknown Deployment shop/web']);
    expect(minutesAgo(0)).toBe('2026-01-01T12:00:00.000Z');
  });
});

describe('a log line that quotes an error', () => {
  const ended = (...lines: string[]) => diagnosed([aNode(), ...web({ containers: [{ ...crashed(1), spec: { resources: { limits: { memory: '512Mi' } } } }] })], { logs: { 'shop/web-aaaaa-0/app': lines.join('\n') } });

  it.each([
    ['INFO GET /search?q="java.lang.OutOfMemoryError: Java heap space" 200'],
    ['2026-06-02T09:41:11Z [INFO] search for MemoryError: 3 hits'],
    ['{"level":"info","msg":"ticket: JavaScript heap out of memory"}'],
  ])('names no memory that was over: %s', async (line) => {
    expect(told(await ended(line, 'FATAL config.yaml line 3: unknown key'))).toEqual(['application_error Deployment shop/web']);
  });

  it('an application that says itself that its memory is over is believed, not surely enough to change anything by it', async () => {
    const [finding] = await ended('java.lang.OutOfMemoryError: Java heap space');
    expect(finding).toMatchObject({ cause: 'oom_killed' });
    expect(finding?.confidence).toBeLessThan(0.9);
  });
});

describe('what only one place tells', () => {
  it('finds the wrong port of a database in the log when the address stands in a Secret', async () => {
    const db = [...aWorkload('db', { containers: [{ spec: { image: 'postgres:16' } }] }), aService({ name: 'db', namespace: 'shop', spec: { ports: [{ port: 5432 }] } })];
    const client = web({ containers: [crashed(1, { spec: { env: [{ name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 's', key: 'url' } } }] } })] });
    const logs = { 'shop/web-aaaaa-0/app': 'connection to server at "db" (10.43.0.5), port 5433 failed: Connection timed out' };
    expect(told(await diagnosed([aNode(), ...db, ...client], { logs }))).toEqual(['postgres_invalid_port Deployment shop/web']);
  });

  it('finds the kill for memory in the runtime\'s log, by the container\'s id', async () => {
    const objects = web({ containers: [crashed(1)] });
    const pod = podOf(objects);
    (pod['status'] as { containerStatuses: Record<string, unknown>[] }).containerStatuses[0] = { ...(pod['status'] as { containerStatuses: Record<string, unknown>[] }).containerStatuses[0], containerID: 'containerd://0123456789abcdef' };
    const probes = { kind: 'ProbeResults', version: 1, nodeServices: [{ node: 'node-1', service: 'containerd', active: true, log: ['level=info msg="TaskOOM event container_id:\\"0123456789abcdef\\""'] }] };
    expect(told(await diagnosed([aNode(), ...objects], { probes }))).toEqual(['oom_killed Deployment shop/web']);
  });

  it('does not call a registry that asks for patience a wrong image', async () => {
    const objects = web({ containers: [{ ready: false, state: { waiting: { reason: 'ImagePullBackOff', message: 'toomanyrequests: You have reached your pull rate limit' } } }] });
    expect(told(await diagnosed([aNode(), ...objects]))).toEqual(['image_registry_unreachable Deployment shop/web']);
  });
});
