import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KubeObject } from '@larry/contracts';
import type { ClusterReader, KindRef, ListOptions } from './reader';

/** A folder of its own for a test, with the given files. Remove it with {@link removeFolders}. */
export async function aFolder(files: Record<string, string | Buffer> = {}): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'larry-kube-'));
  folders.push(root);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
  return root;
}

/** Removes every folder that {@link aFolder} made; call in `afterAll`. */
export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}

const folders: string[] = [];

/** A list read to its end. */
export async function listAll(reader: ClusterReader, kind: KindRef, options?: ListOptions): Promise<KubeObject[]> {
  const objects: KubeObject[] = [];
  for await (const object of reader.list(kind, options)) objects.push(object);
  return objects;
}
