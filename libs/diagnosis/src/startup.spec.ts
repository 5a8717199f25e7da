import type { KubeObject } from '@larry/contracts';
import { aNode, anEvent, anObject, aSecret, aService, aWorkload, crashed, diagnosed, told, waiting, type ContainerParts, type WorkloadParts } from './testing';

const podOf = (objects: KubeObject[]) => objects[2] as KubeObject;
const log = (line: string, container = 'app') => ({ logs: { [`shop/web-aaaaa-0/${container}`]: line } });
const web = (container: ContainerParts, parts: WorkloadParts = {}) => aWorkload('web', { containers: [container], ...parts });

describe('images', () => {
  const pulling = (image: string, message: string, parts: WorkloadParts = {}, extra: KubeObject[] = []) => {
    const objects = web(waiting('ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${message}`, { spec: { image } }), parts);
    return diagnosed([aNode(), ...objects, ...extra]);
  };

  it.each([
    ['nginx:1.99-nope', 'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.99-nope": failed to resolve reference: docker.io/library/nginx:1.99-nope: not found', 'incorrect_image_reference'],
    ['ngnix', 'failed to resolve reference "docker.io/library/ngnix:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed', 'incorrect_image_reference'],
    ['registry.nowhere.test/app:1', 'failed to do request: Head "https://registry.nowhere.test/v2/app/manifests/1": dial tcp: lookup registry.nowhere.test on 10.0.0.2:53: no such host', 'image_registry_dns_failure'],
    ['registry.corp.example/team/app:1', 'failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://registry.corp.example/token: 401 Unauthorized', 'missing_image_pull_secret'],
    ['noimage.example/app:1', 'rpc error: code = Unknown desc = Get "https://noimage.example/v2/": x509: certificate is not valid for any names, but wanted to match noimage.example', 'image_registry_unreachable'],
    ['10.0.0.9:5000/app:1', 'failed to do request: Head "https://10.0.0.9:5000/v2/app/manifests/1": http: server gave HTTP response to HTTPS client', 'image_registry_unreachable'],
    ['10.0.0.9:5000/app:1', 'failed to do request: Head "https://10.0.0.9:5000/v2/app/manifests/1": dial tcp 10.0.0.9:5000: connect: connection refused', 'image_registry_unreachable'],
    ['nginx', 'failed to do request: Head "https://registry-1.docker.io/v2/library/nginx/manifests/latest": net/http: TLS handshake timeout', 'image_registry_unreachable'],
  ])('%s: %s', async (image, message, cause) => {
    expect(told(await pulling(image, message))).toEqual([`${cause} Deployment shop/web`]);
  });

  it('takes a pull secret that does not exist for the reason of a registry that says both may be', async () => {
    const message = 'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed';
    expect(told(await pulling('acme/app:1', message, { podSpec: { imagePullSecrets: [{ name: 'regcred' }] } }))).toEqual(['missing_image_pull_secret Deployment shop/web']);
  });
});

describe('what a pod needs to be there', () => {
  const env = (kind: 'secretKeyRef' | 'configMapKeyRef') => ({ env: [{ name: 'TOKEN', valueFrom: { [kind]: { name: 'settings', key: 'token' } } }] });

  it.each([
    ['secretKeyRef', 'secret "settings" not found', 'missing_secret_binding'],
    ['configMapKeyRef', 'configmap "settings" not found', 'missing_config_map'],
    ['secretKeyRef', "couldn't find key token in Secret shop/settings", 'missing_secret_key'],
  ] as const)('%s: %s', async (kind, message, cause) => {
    expect(told(await diagnosed([aNode(), ...web(waiting('CreateContainerConfigError', message, { spec: env(kind) }))]))).toEqual([`${cause} Deployment shop/web`]);
  });

  it('reads a volume that cannot be mounted from the event', async () => {
    const objects = web(waiting('ContainerCreating'), { podSpec: { volumes: [{ name: 'tls', secret: { secretName: 'web-tls' } }] } });
    const event = anEvent(podOf(objects), 'FailedMount', 'MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found');
    expect(told(await diagnosed([aNode(), ...objects, event]))).toEqual(['missing_secret_binding Deployment shop/web']);
  });

  it('points to the nearest name that exists', async () => {
    const objects = web(waiting('CreateContainerConfigError', 'secret "settings" not found', { spec: env('secretKeyRef') }));
    const [finding] = await diagnosed([aNode(), ...objects, aSecret({ name: 'setting', namespace: 'shop', data: { token: '' } })]);
    expect(finding?.remedy).toMatchObject({ patch: [{ path: '/spec/template/spec/containers/0/env/0/valueFrom/secretKeyRef/name', value: 'setting' }] });
  });

  it('does not exclude what it could not read', async () => {
    const objects = web(waiting('ContainerCreating'), { podSpec: { volumes: [{ name: 'tls', secret: { secretName: 'web-tls' } }] } });
    expect(told(await diagnosed([aNode(), ...objects], { unknown: { Secret: 'forbidden' } }))).toEqual(['unknown Deployment shop/web']);
  });
});

describe('containers that end at once', () => {
  it.each([
    ['invalid_command', crashed(128, { reason: 'StartError', message: 'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "servr": executable file not found in $PATH: unknown' }), ''],
    ['invalid_command', crashed(127), 'sh: line 1: servr: command not found'],
    ['invalid_command', crashed(2, { spec: { args: ['--prot=80'] } }), 'flag provided but not defined: -prot'],
    ['invalid_environment', crashed(1), 'FATAL: environment variable DATABASE_URL is not set'],
    ['invalid_environment', crashed(1), "KeyError: 'STRIPE_KEY'"],
    ['read_only_file_system', crashed(1, { spec: { securityContext: { readOnlyRootFilesystem: true } } }), "OSError: [Errno 30] Read-only file system: '/var/cache/app/x.tmp'"],
    ['volume_mount_permission_denied', crashed(1, { spec: { volumeMounts: [{ name: 'data', mountPath: '/data' }] } }), "PermissionError: [Errno 13] Permission denied: '/data/db.lock'"],
    ['application_error', crashed(1), 'panic: runtime error: index out of range [3] with length 3'],
  ] as const)('%s %j %s', async (cause, container, line) => {
    expect(told(await diagnosed([aNode(), ...web(container as ContainerParts)], log(line)))).toEqual([`${cause} Deployment shop/web`]);
  });

  it('takes the init container that fails for the reason', async () => {
    const objects = aWorkload('web', { containers: [waiting('PodInitializing')], initContainers: [crashed(3, { name: 'init' })] });
    expect(told(await diagnosed([aNode(), ...objects], log('migration 0042 failed', 'init')))).toEqual(['init_container_failed Deployment shop/web']);
  });

  it('makes an init container that waits for a Service the symptom of what is wrong with that', async () => {
    const objects = aWorkload('web', { containers: [waiting('PodInitializing')], initContainers: [crashed(1, { name: 'init', spec: { command: ['sh', '-c', 'nc -z db 5432'] } })] });
    const db = [...aWorkload('db', { containers: [waiting('CreateContainerConfigError', 'secret "db" not found', { spec: { envFrom: [{ secretRef: { name: 'db' } }] } })] }), aService({ name: 'db', namespace: 'shop' })];
    const findings = await diagnosed([aNode(), ...objects, ...db]);
    expect(told(findings)).toEqual(['missing_secret_binding Deployment shop/db']);
    expect(findings[0]?.symptoms).toContain('Deployment shop/web');
  });
});

describe('pgadmin', () => {
  const pgadmin = (line: string, spec: Record<string, unknown> = {}, extra: KubeObject[] = []) => {
    const container = crashed(1, { name: 'pgadmin', spec: { image: 'dpage/pgadmin4:8.14', env: [{ name: 'PGADMIN_DEFAULT_EMAIL', value: 'admin@example.com' }, { name: 'PGADMIN_DEFAULT_PASSWORD', value: 'x' }], ...spec } });
    const noise = ['sudo: setrlimit(RLIMIT_CORE): Operation not permitted', "WARNING: Failed to set ACL on the directory containing the configuration database: [Errno 1] Operation not permitted: '/var/lib/pgadmin'"];
    return diagnosed([aNode(), ...web(container), ...extra], { logs: { 'shop/web-aaaaa-0/pgadmin': [...noise, line] } });
  };

  it.each([
    ['pgadmin_invalid_email', "'admin@cluster.local' does not appear to be a valid email address. Please reset the PGADMIN_DEFAULT_EMAIL environment variable and try again."],
    ['pgadmin_missing_credentials', 'You need to define the PGADMIN_DEFAULT_EMAIL and PGADMIN_DEFAULT_PASSWORD or PGADMIN_DEFAULT_PASSWORD_FILE environment variables.'],
    ['pgadmin_data_not_writable', "PermissionError: [Errno 13] Permission denied: '/var/lib/pgadmin/sessions'"],
    ['pgadmin_servers_json_invalid', 'json.decoder.JSONDecodeError: Expecting \',\' delimiter: line 4 column 5 (char 62)'],
    ['pgadmin_config_database_unreachable', 'sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed: connection to server at "10.0.0.9", port 5432 failed: Connection refused'],
    ['pgadmin_privileged_port', "[ERROR] Can't connect to ('::', 80)"],
  ])('%s', async (cause, line) => {
    expect(told(await pgadmin(line))).toEqual([`${cause} Deployment shop/web`]);
  });

  it('does not take its warnings for causes', async () => {
    expect(told(await pgadmin(''))).toEqual(['application_error Deployment shop/web']);
  });

  it('reads a servers.json that is no JSON from the ConfigMap', async () => {
    const map = anObject('v1', 'ConfigMap', { name: 'servers', namespace: 'shop', data: { 'servers.json': '{"Servers": {' } });
    const objects = web({ name: 'pgadmin', spec: { image: 'dpage/pgadmin4:8.14', volumeMounts: [{ name: 's', mountPath: '/pgadmin4/servers.json', subPath: 'servers.json' }] } }, { podSpec: { volumes: [{ name: 's', configMap: { name: 'servers' } }] } });
    expect(told(await diagnosed([aNode(), ...objects, map]))).toEqual(['pgadmin_servers_json_invalid ConfigMap shop/servers']);
  });
});
