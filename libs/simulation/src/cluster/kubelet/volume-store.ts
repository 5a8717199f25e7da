import type { MountView } from '../behaviours';
import type { Informer } from '../informer';
import type { Container, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../types';
import type { Sources } from './environment';

/** A volume that cannot be mounted: silently waited for, or with the kubelet's message. */
export class MountProblem extends Error {
  constructor(
    readonly volume: string,
    /** Empty while a claim is being bound: the kubelet says nothing about that at first. */
    message: string,
  ) {
    super(message);
  }
}

/** A directory and what is known of it. Paths of files are relative, beginning with `/`. */
interface Directory {
  uid: number;
  gid: number;
  mode: number;
  files: Map<string, string>;
}

export interface VolumeSources extends Sources {
  claims: Pick<Informer<PersistentVolumeClaim>, 'get'>;
  volumes: Pick<Informer<PersistentVolume>, 'get'>;
}

/** What the simulated containers of a cluster have in their volumes, and who may write there. */
export class VolumeStore {
  private readonly directories = new Map<string, Directory>();

  /**
   * The pod's volumes by name.
   * @throws MountProblem for the first that cannot be mounted.
   */
  prepare(pod: Pod, sources: VolumeSources): Map<string, Directory> {
    return new Map((pod.spec.volumes ?? []).map((volume) => [volume.name, this.directory(pod, volume, sources)]));
  }

  /** A container's mounts out of the pod's prepared volumes. */
  mounts(container: Container, prepared: Map<string, Directory>): MountView[] {
    return (container.volumeMounts ?? []).flatMap((mount) => {
      const directory = prepared.get(mount.name);
      if (!directory) return [];
      const under = mount.subPath ? `/${mount.subPath}` : '';
      const files = new Map<string, string>();
      for (const [path, content] of directory.files) {
        if (path === under) files.set(mount.mountPath, content);
        else if (path.startsWith(`${under}/`)) files.set(mount.mountPath + path.slice(under.length), content);
      }
      return [{ path: mount.mountPath, readOnly: mount.readOnly ?? false, files, writableBy: (uid: number, gids: readonly number[]) => writable(directory, uid, gids) }];
    });
  }

  /** Takes in what a container left in its volumes. */
  leave(container: Container, prepared: Map<string, Directory>, writes: readonly { path: string; content: string }[], owns: readonly { path: string; uid: number; gid: number }[]): void {
    for (const mount of container.volumeMounts ?? []) {
      const directory = prepared.get(mount.name);
      if (!directory || mount.readOnly) continue;
      const under = mount.subPath ? `/${mount.subPath}` : '';
      for (const { path, content } of writes) if (path.startsWith(`${mount.mountPath}/`)) directory.files.set(under + path.slice(mount.mountPath.length), content);
      for (const { path, uid, gid } of owns) if (path.replace(/\/$/, '') === mount.mountPath.replace(/\/$/, '')) Object.assign(directory, { uid, gid });
    }
  }

  /** Forgets what lived only as long as the pod. */
  forget(podUid: string): void {
    for (const id of this.directories.keys()) if (id.startsWith(`pod/${podUid}/`)) this.directories.delete(id);
  }

  private directory(pod: Pod, volume: Volume, sources: VolumeSources): Directory {
    if (volume.configMap || volume.secret) return projected(pod, volume, sources);
    if (volume.persistentVolumeClaim) return this.claimed(pod, volume.persistentVolumeClaim.claimName, volume.name, sources);
    const fsGroup = pod.spec.securityContext?.fsGroup;
    if (volume.hostPath) return this.kept(`host/${pod.spec.nodeName}/${volume.hostPath.path}`, { uid: 0, gid: 0, mode: 0o755 });
    const mode = volume.emptyDir ? 0o777 : 0o755;
    return this.kept(`pod/${pod.metadata.uid}/${volume.name}`, { uid: 0, gid: fsGroup ?? 0, mode: fsGroup === undefined ? mode : mode | 0o020 });
  }

  /**
   * Who may write to a claimed volume: local-path makes directories of mode 0777; other hostPath and NFS
   * volumes are what the host says (root's, 0755, here); on the rest `fsGroup` is applied.
   */
  private claimed(pod: Pod, claimName: string, volumeName: string, { claims, volumes }: VolumeSources): Directory {
    const claim = claims.get(`${pod.metadata.namespace}/${claimName}`);
    if (!claim) throw new MountProblem(volumeName, `MountVolume.SetUp failed for volume "${volumeName}" : persistentvolumeclaim "${claimName}" not found`);
    const volume = volumes.get(claim.spec.volumeName ?? '');
    if (!volume || claim.status?.phase !== 'Bound') throw new MountProblem(volumeName, '');
    const id = `pv/${volume.metadata.name}`;
    if (volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === 'rancher.io/local-path') return this.kept(id, { uid: 0, gid: 0, mode: 0o777 });
    const directory = this.kept(id, { uid: 0, gid: 0, mode: 0o755 });
    const fsGroup = pod.spec.securityContext?.fsGroup;
    if (fsGroup !== undefined && !volume.spec.hostPath && !volume.spec.nfs) Object.assign(directory, { gid: fsGroup, mode: directory.mode | 0o020 });
    return directory;
  }

  private kept(id: string, made: Omit<Directory, 'files'>): Directory {
    const known = this.directories.get(id) ?? { ...made, files: new Map<string, string>() };
    this.directories.set(id, known);
    return known;
  }
}

function writable({ uid: owner, gid: group, mode }: Directory, uid: number, gids: readonly number[]): boolean {
  if (uid === 0 || (mode & 0o002) !== 0) return true;
  return (uid === owner && (mode & 0o200) !== 0) || (gids.includes(group) && (mode & 0o020) !== 0);
}

function projected(pod: Pod, volume: Volume, { configMaps, secrets }: Sources): Directory {
  const name = volume.configMap?.name ?? volume.secret?.secretName ?? '';
  const optional = volume.configMap?.optional ?? volume.secret?.optional;
  const source = (volume.configMap ? configMaps : secrets).get(`${pod.metadata.namespace}/${name}`);
  if (!source && !optional) throw new MountProblem(volume.name, `MountVolume.SetUp failed for volume "${volume.name}" : ${volume.configMap ? 'configmap' : 'secret'} "${name}" not found`);
  const decode = (value: string) => (volume.secret ? Buffer.from(value, 'base64').toString('utf8') : value);
  const items = volume.configMap?.items ?? volume.secret?.items ?? Object.keys(source?.data ?? {}).map((key) => ({ key, path: key }));
  const files = new Map<string, string>();
  for (const { key, path } of items) {
    const value = source?.data?.[key] ?? (source?.binaryData?.[key] === undefined ? undefined : '');
    if (value === undefined && !optional) throw new MountProblem(volume.name, `MountVolume.SetUp failed for volume "${volume.name}" : references non-existent ${volume.configMap ? 'config' : 'secret'} key: ${key}`);
    if (value !== undefined) files.set(`/${path}`, decode(value));
  }
  return { uid: 0, gid: pod.spec.securityContext?.fsGroup ?? 0, mode: 0o755, files };
}

export type PreparedVolumes = Map<string, Directory>;
