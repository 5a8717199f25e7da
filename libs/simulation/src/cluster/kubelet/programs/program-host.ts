import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LoopbackNetwork } from './loopback-network';
import { killGroup } from './program-process';

/** Lets a simulated cluster run our own programs: containers whose image is ours become processes of this machine. */
export interface ProgramOptions {
  /** The repository. Only its built programs (apps/NAME/dist) are started. */
  root: string;
  /** The first two numbers of the pods' addresses, as `10.222`, where they may not be on loopback ({@link LoopbackNetwork.at}); default: a free range of 127.0.0.0/8. */
  addresses?: string;
}

const prefix = 'larry-pods-';

/** What the programs of a simulated cluster share: their folder, addresses and processes. It outlives its kubelets. */
export class ProgramHost {
  private readonly children = new Map<ChildProcess, Promise<void>>();

  private constructor(
    readonly root: string,
    readonly network: LoopbackNetwork,
    private readonly folder: string,
  ) {}

  /** @throws Error where this system has no addresses for pods. */
  static async open({ root, addresses }: ProgramOptions): Promise<ProgramHost> {
    const network = addresses === undefined ? await LoopbackNetwork.open() : LoopbackNetwork.at(addresses);
    removeLeftFolders();
    const folder = mkdtempSync(path.join(tmpdir(), `${prefix}${process.pid}-`));
    const host = new ProgramHost(path.resolve(root), network, folder);
    layOutImage(host.root, host.imageFolder);
    return host;
  }

  /** The work folder of our images: the repository's layout, and nothing of it can be written to. */
  get imageFolder(): string {
    return path.join(this.folder, 'image');
  }

  podFolder(uid: string): string {
    return path.join(this.folder, 'pods', path.basename(uid));
  }

  /** A persistent volume's folder; it lasts as long as the simulation. */
  volumeFolder(volume: string): string {
    return path.join(this.folder, 'volumes', path.basename(volume));
  }

  /** Takes note of a started process, so that none outlives the simulation. */
  readonly started = (child: ChildProcess): void => {
    const over = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    this.children.set(child, over);
    void over.then(() => this.children.delete(child));
  };

  /** Kills every process, as a power cut would, and removes every folder. */
  async close(): Promise<void> {
    for (const child of this.children.keys()) killGroup(child);
    await Promise.all(this.children.values());
    this.network.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function layOutImage(root: string, folder: string): void {
  mkdirSync(folder);
  for (const name of readdirSync(root)) if (!name.startsWith('.')) symlinkSync(path.join(root, name), path.join(folder, name));
  chmodSync(folder, 0o555);
}

/** Folders of simulations that were killed. */
function removeLeftFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (!pid || isAlive(Number(pid))) continue;
    try {
      rmSync(path.join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Somebody else's; it is theirs to remove.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
