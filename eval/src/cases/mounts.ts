import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import type { Cluster } from '../cluster/cluster';
import { attached, boundClaim, longhorn, longhornClaim, multiAttach, notAttached, onClaim } from '../cluster/storage';
import { configError, crashLoop, inPerson, mountError, startError } from '../cluster/trouble';
import type { Workload, WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

/** What keeps a container from starting: platform, user, volumes that are elsewhere or not what they seem. */
const fresh = { ageS: 7200, podAgeS: 2500 };
const days = { ageS: 30 * 86_400, podAgeS: 6 * 86_400 };

/** Nodes of another architecture, from the first on. */
function arm(c: Cluster, ...names: string[]): void {
  for (const name of names) {
    const node = c.node(name);
    Object.assign(node.metadata.labels ?? {}, { 'kubernetes.io/arch': 'arm64', 'beta.kubernetes.io/arch': 'arm64' });
    Object.assign(node.status['nodeInfo'] as object, { architecture: 'arm64', kernelVersion: '6.12.25+rpt-rpi-2712', osImage: 'Debian GNU/Linux 12 (bookworm)' });
  }
}

/** A program of another platform: it ends at once with one line. */
function foreign(line: string, exitCode: number, nodes: string[], spec: WorkloadSpec = {}, options: { container?: string; only?: number[] } = {}): Recipe {
  return (c, at) => {
    arm(c, ...nodes);
    const workload = c.workload(at, { ...fresh, image: `docker.io/example/${at.name}:2.1`, ...spec });
    crashLoop(c, workload, { exitCode, log: [line], livedS: 0, ...options });
  };
}

/** The kubelet does not start as root what must not run as root. */
function asRoot(why: 'root' | 'named' | 'user', spec: WorkloadSpec, options: { container?: string; user?: string } = {}): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...fresh, ...spec });
    const of = `(pod: "POD_NAME_${at.namespace}(POD_UID)", container: ${options.container ?? workload.main})`;
    const message = { root: `container has runAsNonRoot and image will run as root ${of}`, named: `container has runAsNonRoot and image has non-numeric user (${options.user}), cannot verify user is non-root ${of}`, user: `container's runAsUser breaks non-root policy ${of}` }[why];
    configError(c, workload, message, { container: options.container });
    inPerson(c, workload);
  };
}

const nonRoot = (spec: WorkloadSpec = {}): WorkloadSpec => ({ ...spec, pod: { ...spec.pod, securityContext: { runAsNonRoot: true } } });

/** A rollout onto another node: the pod of the ReplicaSet before runs and has the volume. */
function rolledElsewhere(claim: string, named: boolean, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    longhorn(c);
    const { volume } = longhornClaim(c, at.namespace, claim);
    attached(c, volume, 'k3s-worker02');
    const workload = c.workload(at, { ...days, podAgeS: 900, replicas: 1, nodes: ['k3s-worker04'], ...onClaim(claim, '/data', spec) });
    const before = c.replicaSet(workload, 1, { ageS: 6 * 86_400, revision: 3 });
    before['status'] = { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 1, observedGeneration: 2 };
    c.keep(before);
    const serving = c.addPod({ ...workload, spec: { ...workload.spec, nodes: ['k3s-worker02'], podAgeS: 6 * 86_400 } }, 0, before);
    notAttached(c, workload, multiAttach(volume, ...(named ? [serving.metadata.name] : [])));
    workload.pods.push(serving);
    workload.stuck = true;
  };
}

/** Somebody else has it, on another node. */
function usedBy(other: [kind: string, name: string], claim: string, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    longhorn(c);
    const { volume } = longhornClaim(c, at.namespace, claim);
    attached(c, volume, 'k3s-worker01');
    const holder = c.workload({ kind: other[0], namespace: at.namespace, name: other[1] }, { ...days, service: other[0] !== 'Pod', replicas: 1, nodes: ['k3s-worker01'], ...onClaim(claim, '/data') });
    const workload = c.workload(at, { ...fresh, replicas: 1, nodes: ['k3s-worker03'], ...onClaim(claim, '/data', spec) });
    notAttached(c, workload, multiAttach(volume, holder.pods[0]?.metadata.name ?? ''), { saidS: 2480 });
  };
}

/** Nobody uses it any more, and it is still attached to a node that is well. */
function leftAttached(claim: string, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    longhorn(c);
    const { volume } = longhornClaim(c, at.namespace, claim);
    attached(c, volume, 'k3s-worker02', 9 * 86_400);
    const workload = c.workload(at, { ...days, podAgeS: 1900, replicas: 1, nodes: ['k3s-worker03'], ...onClaim(claim, '/data', spec) });
    notAttached(c, workload, multiAttach(volume), { saidS: 1890 });
  };
}

/** How mount-utils tells what mount(8) said. */
export function mountFailed(volume: string, type: string, options: string, source: string, output: string, plugin = `kubernetes.io~${type}`): string {
  const where = `/var/lib/kubelet/pods/POD_UID/volumes/${plugin}/${volume}`;
  return `MountVolume.SetUp failed for volume "${volume}" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t ${type}${options ? ` -o ${options}` : ''} ${source} ${where}\nOutput: ${output.replaceAll('WHERE', where)}\n`;
}

const waitsFor = 'Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[]: context deadline exceeded';

/** Pods that wait for a mount that fails again and again. */
export function mountFails(c: Cluster, workload: Workload, message: string): void {
  mountError(c, workload, message);
  for (const pod of workload.pods) c.event(pod, { reason: 'FailedMount', message: waitsFor, count: 7, lastS: 95 });
  inPerson(c, workload);
}

/** A volume of the cluster's that cannot be mounted; at fault is the volume. */
function onVolume(user: string, kind: string, source: Record<string, unknown>, message: string, spec: WorkloadSpec = {}, storageClass = ''): Recipe {
  return (c, at) => {
    const claim = `${user}-data`;
    boundClaim(c, 'apps', claim, { volume: at.name, storageClass, mode: kind === 'StatefulSet' ? 'ReadWriteOnce' : 'ReadWriteMany', source });
    mountFails(c, c.workload({ kind, namespace: 'apps', name: user }, { ...fresh, ...onClaim(claim, '/data', spec) }), message);
  };
}

/** A volume that the workload itself describes. */
function inline(source: Record<string, unknown>, message: string, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => mountFails(c, c.workload(at, { ...fresh, ...spec, pod: { ...spec.pod, volumes: [{ name: 'data', ...source }] }, container: { ...spec.container, volumeMounts: [{ name: 'data', mountPath: '/data' }] } }), message);
}

interface Onto {
  /** The volume as the workload describes it. */
  volume: Record<string, unknown>;
  mount: { mountPath: string; subPath?: string; readOnly?: boolean };
  /** Below the pod's directory. */
  from: string;
  spec?: WorkloadSpec;
  /** Keys of the ConfigMap or Secret that is there. */
  keys?: string[];
  kind?: 'ConfigMap' | 'Secret';
}

/** runc finds a folder where a file should be, or the other way round. */
function ontoWrong({ volume, mount, from, spec = {}, keys, kind = 'ConfigMap' }: Onto, tail = 'not a directory: unknown'): Recipe {
  return (c, at) => {
    const name = String(volume['name']);
    if (keys) c.add('v1', kind, { name: `${at.name}-${name}`, namespace: at.namespace }, { data: Object.fromEntries(keys.map((key) => [key, kind === 'Secret' ? '' : '# settings\n'])) });
    const workload = c.workload(at, { ...fresh, ...spec, pod: { ...spec.pod, volumes: [volume] }, container: { ...spec.container, volumeMounts: [{ name, ...mount }] } });
    const source = from.startsWith('/') ? from : `/var/lib/kubelet/pods/POD_UID/${from}`;
    startError(c, workload, `error mounting "${source}" to rootfs at "${mount.mountPath}": mount src=${source}, dst=${mount.mountPath}, dstFd=/proc/thread-self/fd/11, flags=MS_BIND|MS_REC: ${tail}`);
    inPerson(c, workload);
  };
}

/** The key that a subPath names is not there: the kubelet makes a folder, and a program wants to read it. */
function readsFolder(key: string, mountPath: string, keys: string[], line: string, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    c.add('v1', 'ConfigMap', { name: `${at.name}-config`, namespace: at.namespace }, { data: Object.fromEntries(keys.map((one) => [one, '# settings\n'])) });
    const workload = c.workload(at, { ...fresh, image: `docker.io/example/${at.name}:1.8`, ...spec, pod: { volumes: [config(at.name)] }, container: { volumeMounts: [{ name: 'config', mountPath, subPath: key, readOnly: true }] } });
    crashLoop(c, workload, { exitCode: 1, log: [line], livedS: 2 });
  };
}

/** The kubelet itself finds nothing fit for the subPath. */
function noSubPath(volume: Record<string, unknown>, subPath: string, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    const name = String(volume['name']);
    const workload = c.workload(at, { ...fresh, ...spec, pod: { volumes: [volume] }, container: { volumeMounts: [{ name, mountPath: `/etc/${subPath}`, subPath }] } });
    configError(c, workload, `failed to prepare subPath for volumeMount "${name}" of container "${workload.main}"`);
  };
}

const config = (workload: string, name = 'config') => ({ name, configMap: { name: `${workload}-${name}`, defaultMode: 420 } });
const sub = (workload: string, name = 'config') => `volume-subpaths/${name}/${workload.length > 12 ? 'app' : workload}/0`;
const nfs = (path: string) => ({ nfs: { server: '192.168.50.5', path } });
const notRegistered = (volume: string, driver: string) => `MountVolume.MountDevice failed for volume "${volume}" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ${driver} not found in the list of registered CSI drivers`;

export const mounts: Fault[] = [
  {
    class: 'startup',
    cause: 'image_platform_mismatch',
    sources: [sources.platforms, sources.runc],
    variants: [
      ['Deployment home/zigbee2mqtt', 'on the Raspberry Pi alone: elsewhere it runs', foreign('exec /usr/local/bin/docker-entrypoint.sh: exec format error', 255, ['k3s-worker04'], { replicas: 3, nodes: ['k3s-worker01', 'k3s-worker02', 'k3s-worker04'] }, { only: [2] })],
      ['StatefulSet data/mssql', 'every node is of the other platform', foreign('exec /opt/mssql/bin/launch_sqlservr.sh: exec format error', 255, ['k3s-worker01', 'k3s-worker02', 'k3s-worker03', 'k3s-worker04'], { port: 1433 })],
      ['DaemonSet monitoring/gpu-exporter', 'an old runc says it in its own way', (c, at) => {
        arm(c, 'k3s-worker02');
        const workload = c.workload(at, { ...fresh, port: 9400, image: 'docker.io/example/gpu-exporter:1.0' });
        crashLoop(c, workload, { exitCode: 1, log: ['standard_init_linux.go:228: exec user process caused: exec format error'], livedS: 0, only: [4] });
      }],
      ['Deployment shop/thumbnails', 'built on a Mac: arm64 on amd64', foreign('exec /app/thumbnails: exec format error', 255, [], { image: 'registry.example.com/shop/thumbnails:dev' })],
      ['CronJob ops/certificate-report', 'a CronJob', foreign('exec /usr/bin/python3: exec format error', 255, ['k3s-worker01', 'k3s-worker02', 'k3s-worker03', 'k3s-worker04'], { port: 0 })],
      ['Deployment chat/bridge', 'the side container', foreign('exec /usr/bin/cloud_sql_proxy: exec format error', 255, ['k3s-worker01', 'k3s-worker02', 'k3s-worker03', 'k3s-worker04'], { sidecars: [{ name: 'db-proxy', image: 'docker.io/example/db-proxy:1.1', resources: {} }] }, { container: 'db-proxy' })],
      ['StatefulSet fleet/fleet-db', 'its client ends', feltBy(foreign('exec /usr/local/bin/docker-entrypoint.sh: exec format error', 255, ['k3s-worker01', 'k3s-worker02', 'k3s-worker03', 'k3s-worker04'], { port: 5432 }), 'fleet-db', { name: 'tracker', log: [complaints.postgres] })],
    ],
  },
  {
    class: 'startup',
    cause: 'run_as_non_root_violation',
    sources: [sources.nonRoot],
    variants: [
      ['Deployment web/nginx', 'the image runs as root', asRoot('root', nonRoot({ image: 'docker.io/library/nginx:1.29' }))],
      ['StatefulSet data/redis', 'the image\'s user has a name only', asRoot('named', nonRoot({ image: 'registry.example.com/mirror/redis:8.0', port: 6379 }), { user: 'redis' })],
      ['Deployment shop/payments', 'distroless: nonroot by name', asRoot('named', { container: { securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false } } }, { user: 'nonroot' })],
      ['CronJob ops/backup-etcd', 'runAsUser is 0', asRoot('user', nonRoot({ port: 0, container: { securityContext: { runAsUser: 0 } } }))],
      ['DaemonSet logging/promtail', 'DaemonSet', asRoot('root', nonRoot({ port: 9080 }))],
      ['Deployment auth/dex', 'only the side container', asRoot('root', nonRoot({ sidecars: [{ name: 'log-tail', image: 'docker.io/library/busybox:1.37', command: ['tail', '-F', '/var/log/dex.log'] }], container: { securityContext: { runAsUser: 1001 } } }), { container: 'log-tail' })],
      ['StatefulSet club/members-db', 'its client ends', feltBy(asRoot('root', nonRoot({ port: 5432, image: 'docker.io/library/postgres:17.5' })), 'members-db', { name: 'members', log: [complaints.postgres] })],
    ],
  },
  {
    class: 'startup',
    cause: 'volume_attached_elsewhere',
    sources: [sources.attachDetach, sources.provisioners],
    variants: [
      ['Deployment media/nextcloud', 'a rollout: its older pod serves and has it', rolledElsewhere('nextcloud-data', true)],
      ['Deployment wiki/outline', 'a rollout, said without names', rolledElsewhere('outline', false)],
      ['CronJob ops/copy-photos', 'a backup on another node than the application', usedBy(['Deployment', 'photoprism'], 'photos', { port: 0 })],
      ['Deployment games/map-viewer', 'two Deployments share one claim', usedBy(['StatefulSet', 'minecraft'], 'world')],
      ['StatefulSet data/postgres-main', 'somebody left a pod that looks into it', usedBy(['Pod', 'debug-shell'], 'pgdata', { port: 5432 })],
      ['StatefulSet mail/dovecot', 'nobody has it any more, and it is still attached', leftAttached('maildir', { port: 143 })],
      ['Deployment erp/odoo', 'its callers see the old pod go, and the new one not come', feltBy(leftAttached('filestore'), 'odoo', { name: 'webshop', log: [complaints.python] })],
    ],
  },
  {
    class: 'startup',
    cause: 'volume_mount_failed',
    sources: [sources.mounts, sources.kubeletVolumes],
    variants: [
      ['PersistentVolume nas-media', 'NFS: silent', onVolume('jellyfin', 'Deployment', nfs('/volume1/media'), mountFailed('nas-media', 'nfs', 'hard,nfsvers=4.1', '192.168.50.5:/volume1/media', 'mount.nfs: Connection timed out for 192.168.50.5:/volume1/media on WHERE'))],
      ['PersistentVolume nas-photos', 'NFS: no such export', onVolume('immich', 'StatefulSet', nfs('/volume1/photo'), mountFailed('nas-photos', 'nfs', 'nfsvers=4', '192.168.50.5:/volume1/photo', 'mount.nfs: mounting 192.168.50.5:/volume1/photo failed, reason given by server: No such file or directory'))],
      ['PersistentVolume nas-scans', 'NFS: this client may not', onVolume('paperless', 'Deployment', nfs('/volume1/scans'), mountFailed('nas-scans', 'nfs', '', '192.168.50.5:/volume1/scans', 'mount.nfs: access denied by server while mounting 192.168.50.5:/volume1/scans'))],
      ['PersistentVolume nfs-builds', 'no helper program on the nodes', onVolume('runner', 'StatefulSet', nfs('/exports/builds'), mountFailed('nfs-builds', 'nfs', '', '192.168.50.5:/exports/builds', 'mount: WHERE: bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program.'))],
      ['PersistentVolume truenas-db', 'no CSI driver on the node', onVolume('ledger', 'StatefulSet', { csi: { driver: 'org.democratic-csi.iscsi', volumeHandle: 'truenas-db' } }, notRegistered('truenas-db', 'org.democratic-csi.iscsi'), { port: 5432 }, 'truenas-iscsi')],
      ['Deployment home/deconz', 'hostPath: a device that is not one', inline({ hostPath: { path: '/dev/ttyACM0', type: 'CharDevice' } }, 'MountVolume.SetUp failed for volume "data" : hostPath type check failed: /dev/ttyACM0 is not a character device', { replicas: 1 })],
      ['DaemonSet logging/journal', 'hostPath: no such folder', inline({ hostPath: { path: '/var/log/journal', type: 'Directory' } }, 'MountVolume.SetUp failed for volume "data" : hostPath type check failed: /var/log/journal is not a directory', { port: 0 })],
      ['CronJob ops/offsite', 'NFS named by the workload: host unknown', inline({ nfs: { server: 'nas.lan', path: '/backup' } }, mountFailed('data', 'nfs', '', 'nas.lan:/backup', 'mount.nfs: Failed to resolve server nas.lan: Name or service not known'), { port: 0 })],
    ],
  },
  {
    class: 'startup',
    cause: 'mount_type_mismatch',
    sources: [sources.mountTypes, sources.runc],
    variants: [
      ['Deployment web/nginx-edge', 'a ConfigMap as a folder on a file', ontoWrong({ volume: config('nginx-edge'), keys: ['nginx.conf'], mount: { mountPath: '/etc/nginx/nginx.conf' }, from: 'volumes/kubernetes.io~configmap/config', spec: { image: 'docker.io/library/nginx:1.29' } })],
      ['StatefulSet data/mosquitto', 'a subPath of a key that is not there', ontoWrong({ volume: config('mosquitto'), keys: ['mosquitto.cnf'], mount: { mountPath: '/mosquitto/config/mosquitto.conf', subPath: 'mosquitto.conf' }, from: sub('mosquitto'), spec: { port: 1883 } })],
      ['Deployment dns/coredns-lan', 'another key misspelt', ontoWrong({ volume: config('coredns-lan'), keys: ['corefile'], mount: { mountPath: '/etc/coredns/Corefile', subPath: 'Corefile' }, from: sub('coredns-lan'), spec: { image: 'docker.io/coredns/coredns:1.12.1', port: 1053 } })],
      ['DaemonSet logging/rsyslog', 'a folder of the node where a file was meant', ontoWrong({ volume: { name: 'conf', hostPath: { path: '/etc/rsyslog.d' } }, mount: { mountPath: '/etc/rsyslog.conf' }, from: '/etc/rsyslog.d', spec: { port: 0 } })],
      ['Deployment tls/haproxy', 'a Secret as a folder on a file', ontoWrong({ volume: { name: 'tls', secret: { secretName: 'haproxy-tls', defaultMode: 420 } }, keys: ['tls.crt', 'tls.key'], kind: 'Secret', mount: { mountPath: '/usr/local/etc/haproxy/site.pem' }, from: 'volumes/kubernetes.io~secret/tls' })],
      ['StatefulSet erp/tomcat-main', 'a file of the node on a folder', ontoWrong({ volume: { name: 'conf', hostPath: { path: '/srv/tomcat/server.xml' } }, mount: { mountPath: '/usr/local/tomcat/conf' }, from: '/srv/tomcat/server.xml' }, 'not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type: unknown')],
      ['Deployment proxy/envoy', 'a key of a Secret that is not there', ontoWrong({ volume: { name: 'tls', secret: { secretName: 'envoy-tls', defaultMode: 420 } }, keys: ['tls.crt', 'tls.key'], kind: 'Secret', mount: { mountPath: '/etc/envoy/ca.crt', subPath: 'ca.crt' }, from: sub('envoy', 'tls') })],
      ['Deployment home/homepage', 'a folder for a key that is not there: the program says so', readsFolder('settings.yaml', '/app/config/settings.yaml', ['setings.yaml', 'widgets.yaml'], "Error: EISDIR: illegal operation on a directory, read '/app/config/settings.yaml'")],
      ['DaemonSet net/frr', 'the same in C', readsFolder('frr.conf', '/etc/frr/frr.conf', ['daemons', 'vtysh.conf'], 'zebra: failed to open configuration file /etc/frr/frr.conf: Is a directory', { port: 0 })],
      ['Deployment bot/discord', 'a subPath below a file of the node', noSubPath({ name: 'settings', hostPath: { path: '/srv/bot/config.toml', type: 'File' } }, 'config.toml')],
    ],
  },
];
