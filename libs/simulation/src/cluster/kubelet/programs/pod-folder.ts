import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Container, DownwardItem, Pod, ProjectedSource, Volume } from '../../types';
import { ConfigError, fieldText, resourceText, type Sources } from '../environment';
import { MountProblem } from '../volume-store';

/** What fills the volumes of a pod. */
export interface FolderSources {
  sources: Sources;
  podIp: string;
  /** A service-account token; undefined while it is being asked for. */
  token(source: { audience?: string; expirationSeconds?: number }): string | undefined;
  /** The folder of a claimed volume. */
  claimed(claimName: string): string;
}

/** The volumes of a pod as folders on disk, in place of a mount namespace. */
export class PodFolder {
  constructor(readonly folder: string) {}

  /**
   * Writes what the volumes hold now; a file that changed is replaced in one step.
   * @throws MountProblem where something is missing; without words while a token is being asked for.
   */
  fill(pod: Pod, from: FolderSources): void {
    for (const volume of pod.spec.volumes ?? []) {
      const files = filesOf(pod, volume, from);
      if (files) replaceFiles(this.volumeFolder(volume, from), files);
      else mkdirSync(this.volumeFolder(volume, from), { recursive: true, mode: 0o700 });
    }
  }

  /** Where a container's mounts are on disk, the innermost first. */
  mounts(pod: Pod, container: Container, from: Pick<FolderSources, 'claimed'>): { mountPath: string; folder: string }[] {
    return (container.volumeMounts ?? [])
      .flatMap((mount) => {
        const volume = pod.spec.volumes?.find((each) => each.name === mount.name);
        return volume ? [{ mountPath: mount.mountPath.replace(/\/$/, ''), folder: path.join(this.volumeFolder(volume, from), mount.subPath ?? '') }] : [];
      })
      .sort((a, b) => b.mountPath.length - a.mountPath.length);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private volumeFolder(volume: Volume, from: Pick<FolderSources, 'claimed'>): string {
    return volume.persistentVolumeClaim ? from.claimed(volume.persistentVolumeClaim.claimName) : path.join(this.folder, 'volumes', volume.name);
  }
}

/** The contents of a volume that mirrors objects, by relative path; undefined for one that is the pod's own to write. */
function filesOf(pod: Pod, volume: Volume, from: FolderSources): Map<string, Buffer> | undefined {
  const problem = (message: string) => new MountProblem(volume.name, message && `MountVolume.SetUp failed for volume "${volume.name}" : ${message}`);
  if (volume.hostPath) throw problem('the simulation gives our programs no hostPath volumes: nothing of this machine is mounted');
  if (volume.configMap) return keyFiles(pod, 'configmap', volume.configMap, from, problem);
  if (volume.secret) return keyFiles(pod, 'secret', { ...volume.secret, name: volume.secret.secretName }, from, problem);
  if (volume.downwardAPI) return downwardFiles(pod, volume.downwardAPI.items ?? [], from, problem);
  if (volume.projected) return new Map((volume.projected.sources ?? []).flatMap((source) => [...projectedFiles(pod, source, from, problem)]));
  if (volume.emptyDir || volume.persistentVolumeClaim) return undefined;
  throw problem('the simulation gives our programs configMap, secret, projected, downwardAPI, emptyDir and claimed volumes only');
}

type Problem = (message: string) => MountProblem;
interface Keyed {
  name: string;
  optional?: boolean;
  items?: { key: string; path: string }[];
}

function projectedFiles(pod: Pod, source: ProjectedSource, from: FolderSources, problem: Problem): Map<string, Buffer> {
  if (source.configMap) return keyFiles(pod, 'configmap', source.configMap, from, problem);
  if (source.secret) return keyFiles(pod, 'secret', source.secret, from, problem);
  if (source.downwardAPI) return downwardFiles(pod, source.downwardAPI.items ?? [], from, problem);
  if (source.serviceAccountToken) {
    const token = from.token(source.serviceAccountToken);
    if (token === undefined) throw problem('');
    return new Map([[source.serviceAccountToken.path, Buffer.from(token)]]);
  }
  throw problem('the simulation projects configMap, secret, downwardAPI and serviceAccountToken only');
}

function keyFiles(pod: Pod, noun: 'configmap' | 'secret', { name, optional, items }: Keyed, { sources }: FolderSources, problem: Problem): Map<string, Buffer> {
  const object = (noun === 'secret' ? sources.secrets : sources.configMaps).get(`${pod.metadata.namespace}/${name}`);
  if (!object && !optional) throw problem(`${noun} "${name}" not found`);
  const text = Object.entries(object?.data ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value, noun === 'secret' ? 'base64' : 'utf8')]);
  const binary = Object.entries(object?.binaryData ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value, 'base64')]);
  const all = new Map([...text, ...binary]);
  if (!items) return all;
  const chosen = new Map<string, Buffer>();
  for (const { key, path: file } of items) {
    const value = all.get(key);
    if (value) chosen.set(file, value);
    else if (!optional) throw problem(`references non-existent ${noun === 'secret' ? 'secret' : 'config'} key: ${key}`);
  }
  return chosen;
}

function downwardFiles(pod: Pod, items: readonly DownwardItem[], { podIp }: FolderSources, problem: Problem): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const item of items) {
    try {
      const value = item.fieldRef ? fieldText(pod, item.fieldRef.fieldPath, podIp, undefined) : item.resourceFieldRef ? resourceText(pod, item.resourceFieldRef) : undefined;
      files.set(item.path, Buffer.from(value ?? ''));
    } catch (error) {
      if (error instanceof ConfigError) throw problem(error.message);
      throw error;
    }
  }
  return files;
}

/** Makes a folder hold these files and no others; whoever reads one sees the old or the new content, never half of it. */
function replaceFiles(folder: string, files: ReadonlyMap<string, Buffer>): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, content] of files) {
    const file = path.join(folder, name);
    // The API server refuses such paths in items; a loaded object may hold them.
    if (!file.startsWith(folder + path.sep)) continue;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, content, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  for (const file of entriesBelow(folder)) if (!files.has(path.relative(folder, file))) rmSync(file);
}

/** Files and links below a folder. Links are not followed: what they lead to is not the pod's, and must not be removed with it. */
function entriesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? entriesBelow(file) : [file];
  });
}
