import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import type { Cluster } from '../cluster/cluster';
import type { Target } from '../cluster/objects';
import { unboundMessage } from '../cluster/scheduler';
import { unschedulable } from '../cluster/trouble';
import { sources } from '../sources';

interface Claim {
  size?: string;
  mode?: string;
  storageClass?: string;
  volumeName?: string;
  selector?: Record<string, string>;
}

interface Volume {
  name: string;
  size?: string;
  mode?: string;
  storageClass?: string;
  labels?: Record<string, string>;
  /** `namespace/name` of the claim that has it. */
  claimedBy?: string;
  phase?: string;
}

function addVolume(c: Cluster, volume: Volume): void {
  const [namespace, name] = (volume.claimedBy ?? '').split('/');
  const claimRef = volume.claimedBy === undefined ? {} : { claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid: c.chance.uid() } };
  c.add('v1', 'PersistentVolume', { name: volume.name }, {
    ...(volume.labels ? { metadataLabels: volume.labels } : {}),
    spec: { capacity: { storage: volume.size ?? '10Gi' }, accessModes: [volume.mode ?? 'ReadWriteOnce'], storageClassName: volume.storageClass ?? 'manual', persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem', nfs: { server: '192.168.50.5', path: `/exports/${volume.name}` }, ...claimRef },
    status: { phase: volume.phase ?? (volume.claimedBy === undefined ? 'Available' : 'Bound') },
  });
}

function addClaim(c: Cluster, at: Required<Target>, claim: Claim) {
  return c.add('v1', 'PersistentVolumeClaim', { name: at.name, namespace: at.namespace }, {
    spec: {
      accessModes: [claim.mode ?? 'ReadWriteOnce'],
      resources: { requests: { storage: claim.size ?? '10Gi' } },
      storageClassName: claim.storageClass ?? 'manual',
      volumeMode: 'Filesystem',
      ...(claim.volumeName ? { volumeName: claim.volumeName } : {}),
      ...(claim.selector ? { selector: { matchLabels: claim.selector } } : {}),
    },
    status: { phase: 'Pending' },
  }, 2700);
}

/** The words of the controller for a claim that finds no volume of a class without provisioner. */
const noProvisioner = (storageClass: string) => ({ reason: 'ProvisioningFailed', message: `storageclass.storage.k8s.io "${storageClass}" not found` });
const mismatch = (volume: string, why: string) => ({ reason: 'VolumeMismatch', message: `Cannot bind to requested volume "${volume}": ${why}` });

/** A claim that stays pending, and the workload that waits for it. */
function pending(user: string, claim: Claim, volumes: Volume[], event: { reason: string; message: string; type?: 'Normal' | 'Warning' } | undefined, kind = 'Deployment'): Recipe {
  return (c, at) => {
    for (const volume of volumes) addVolume(c, volume);
    const object = addClaim(c, at, claim);
    if (event) c.event(object, { ...event, from: 'persistentvolume-controller', count: c.chance.int(20, 120), lastS: c.chance.int(5, 16), firstS: 2600 });
    const suffix = `-${user}-0`;
    const byTemplate = kind === 'StatefulSet' && at.name.endsWith(suffix);
    const workload = c.workload({ kind, namespace: at.namespace, name: user }, {
      replicas: 1,
      ageS: 2800,
      podAgeS: 2700,
      pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: at.name } }] },
      container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      ...(byTemplate ? { spec: { volumeClaimTemplates: [{ metadata: { name: at.name.slice(0, -suffix.length) }, spec: { accessModes: [claim.mode ?? 'ReadWriteOnce'], storageClassName: claim.storageClass ?? 'manual', resources: { requests: { storage: claim.size ?? '10Gi' } } } }] } } : {}),
    });
    unschedulable(c, workload, unboundMessage(c));
  };
}

/** With `WaitForFirstConsumer` the scheduler itself looks for a volume. */
function late(user: string, claim: Claim, volumes: Volume[], binding: { name: string }): Recipe {
  return (c, at) => {
    c.add('storage.k8s.io/v1', 'StorageClass', { name: binding.name }, { provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer', reclaimPolicy: 'Delete' });
    for (const volume of volumes) addVolume(c, { ...volume, storageClass: volume.storageClass ?? binding.name });
    const object = addClaim(c, at, { ...claim, storageClass: binding.name });
    c.event(object, { type: 'Normal', reason: 'WaitForFirstConsumer', message: 'waiting for first consumer to be created before binding', from: 'persistentvolume-controller', count: 2, lastS: 2690 });
    const workload = c.workload({ kind: 'Deployment', namespace: at.namespace, name: user }, { replicas: 1, ageS: 2800, podAgeS: 2700, pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: at.name } }] } });
    unschedulable(c, workload, unboundMessage(c, "node(s) didn't find available persistent volumes to bind"));
  };
}

const waits = { type: 'Normal' as const, reason: 'FailedBinding', message: 'no persistent volumes available for this claim and no storage class is set' };
const taken = (volume: string) => ({ reason: 'FailedBinding', message: `volume "${volume}" already bound to a different claim.` });

export const volumes: Fault[] = [
  {
    class: 'scheduling',
    cause: 'pv_binding_occupied',
    sources: [sources.pvController, sources.scheduler],
    variants: [
      ['PersistentVolumeClaim media/library', 'the volume named belongs to another claim', pending('jellyfin', { volumeName: 'nas-library' }, [{ name: 'nas-library', claimedBy: 'media/library-old' }], taken('nas-library'))],
      ['PersistentVolumeClaim data/pgdata-postgres-0', 'StatefulSet', pending('postgres', { volumeName: 'pg-primary' }, [{ name: 'pg-primary', claimedBy: 'staging/pgdata-postgres-0' }], taken('pg-primary'), 'StatefulSet')],
      ['PersistentVolumeClaim web/uploads', 'released by a claim that is no more', pending('wordpress', { volumeName: 'uploads-pv' }, [{ name: 'uploads-pv', claimedBy: 'web/uploads-2025', phase: 'Released' }], taken('uploads-pv'))],
      ['PersistentVolumeClaim git/repositories', 'beside a free volume', pending('gitea', { volumeName: 'repo-1' }, [{ name: 'repo-1', claimedBy: 'git/archive' }, { name: 'repo-2', size: '5Gi' }], taken('repo-1'))],
      ['PersistentVolumeClaim home/frigate', 'without an event any more', pending('frigate', { volumeName: 'cctv' }, [{ name: 'cctv', claimedBy: 'home/zoneminder' }], undefined)],
    ],
  },
  {
    class: 'scheduling',
    cause: 'pvc_access_mode_mismatch',
    sources: [sources.pvController, sources.scheduler],
    variants: [
      ['PersistentVolumeClaim shop/images', 'by name of the volume', pending('cdn', { volumeName: 'shop-images', mode: 'ReadWriteMany' }, [{ name: 'shop-images' }], mismatch('shop-images', 'incompatible accessMode'))],
      ['PersistentVolumeClaim ci/cache', 'StatefulSet', pending('runner', { volumeName: 'ci-cache', mode: 'ReadWriteMany' }, [{ name: 'ci-cache' }], mismatch('ci-cache', 'incompatible accessMode'), 'StatefulSet')],
      ['PersistentVolumeClaim docs/site', 'no name: every other field fits', pending('docs', { storageClass: '', mode: 'ReadWriteMany' }, [{ name: 'docs-pv', storageClass: '' }], waits)],
      ['PersistentVolumeClaim ml/datasets', 'read only', pending('notebook', { volumeName: 'datasets', mode: 'ReadWriteOnce' }, [{ name: 'datasets', mode: 'ReadOnlyMany' }], mismatch('datasets', 'incompatible accessMode'))],
      ['PersistentVolumeClaim chat/attachments', 'looked for by the scheduler', late('mattermost', { mode: 'ReadWriteMany' }, [{ name: 'local-attachments' }], { name: 'local-disks' })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'pvc_capacity_mismatch',
    sources: [sources.pvController, sources.scheduler],
    variants: [
      ['PersistentVolumeClaim data/warehouse', 'by name of the volume', pending('clickhouse', { volumeName: 'warehouse', size: '200Gi' }, [{ name: 'warehouse', size: '100Gi' }], mismatch('warehouse', 'requested PV is too small'))],
      ['PersistentVolumeClaim mail/maildir', 'StatefulSet', pending('dovecot', { volumeName: 'maildir', size: '50Gi' }, [{ name: 'maildir', size: '5Gi' }], mismatch('maildir', 'requested PV is too small'), 'StatefulSet')],
      ['PersistentVolumeClaim wiki/data', 'no name: all volumes too small', pending('dokuwiki', { storageClass: '', size: '30Gi' }, [{ name: 'small-1', storageClass: '', size: '10Gi' }, { name: 'small-2', storageClass: '', size: '20Gi' }], waits)],
      ['PersistentVolumeClaim photos/originals', '`10Ti` instead of `10Gi`', pending('immich', { volumeName: 'photos', size: '10Ti' }, [{ name: 'photos', size: '4Ti' }], mismatch('photos', 'requested PV is too small'))],
      ['PersistentVolumeClaim metrics/tsdb', 'looked for by the scheduler', late('victoria', { size: '80Gi' }, [{ name: 'local-tsdb', size: '40Gi' }], { name: 'local-nvme' })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'pvc_selector_mismatch',
    sources: [sources.pvController, sources.scheduler],
    variants: [
      ['PersistentVolumeClaim data/redis', 'other value', pending('redis', { storageClass: '', selector: { tier: 'gold' } }, [{ name: 'pv-silver', storageClass: '', labels: { tier: 'silver' } }], waits)],
      ['PersistentVolumeClaim logs/archive', 'volume without labels', pending('graylog', { storageClass: '', selector: { usage: 'logs' } }, [{ name: 'pv-logs', storageClass: '' }], waits)],
      ['PersistentVolumeClaim erp/odoo', 'misspelt', pending('odoo', { storageClass: '', selector: { app: 'oddo' } }, [{ name: 'odoo-pv', storageClass: '', labels: { app: 'odoo' } }], waits, 'StatefulSet')],
      ['PersistentVolumeClaim games/world', 'two labels, one wrong', pending('minecraft', { storageClass: '', selector: { game: 'minecraft', world: 'creative' } }, [{ name: 'world-1', storageClass: '', labels: { game: 'minecraft', world: 'survival' } }], waits)],
      ['PersistentVolumeClaim cad/models', 'looked for by the scheduler', late('freecad', { selector: { rack: 'b' } }, [{ name: 'rack-a-1', labels: { rack: 'a' } }], { name: 'racks' })],
      ['PersistentVolumeClaim tax/documents', 'one volume fits by label and is too old to be free', pending('paperless', { storageClass: '', selector: { year: '2026' } }, [{ name: 'docs-2025', storageClass: '', labels: { year: '2025' } }, { name: 'docs-2024', storageClass: '', labels: { year: '2024' }, claimedBy: 'tax/documents-2024' }], waits)],
    ],
  },
  {
    class: 'scheduling',
    cause: 'pvc_storage_class_mismatch',
    sources: [sources.pvController, sources.scheduler],
    variants: [
      ['PersistentVolumeClaim shop/orders', 'class that does not exist', pending('orders-db', { storageClass: 'fast-ssd' }, [], noProvisioner('fast-ssd'))],
      ['PersistentVolumeClaim data/kafka-0', 'StatefulSet, another cloud\'s class', pending('kafka', { storageClass: 'gp3' }, [], noProvisioner('gp3'), 'StatefulSet')],
      ['PersistentVolumeClaim nas/share', 'volume of another class by name', pending('samba', { volumeName: 'nas-share', storageClass: 'manual' }, [{ name: 'nas-share', storageClass: 'nfs' }], mismatch('nas-share', 'storageClassName does not match'))],
      ['PersistentVolumeClaim farm/sensor-data', 'its database is pending, and that one\'s client ends', feltBy(pending('sensors-db', { storageClass: 'ceph-rbd' }, [], noProvisioner('ceph-rbd'), 'StatefulSet'), 'sensors-db', { name: 'collector', log: [complaints.go] })],
      ['PersistentVolumeClaim crm/files', 'misspelt', pending('suitecrm', { storageClass: 'local-pth' }, [], noProvisioner('local-pth'))],
      ['PersistentVolumeClaim cad/scratch', 'of a storage system that was removed', pending('slicer', { storageClass: 'longhorn' }, [], noProvisioner('longhorn'))],
      ['PersistentVolumeClaim lab/results', 'no class, volume has one', pending('jupyter', { volumeName: 'lab-results', storageClass: '' }, [{ name: 'lab-results', storageClass: 'manual' }], mismatch('lab-results', 'storageClassName does not match'))],
    ],
  },
];
