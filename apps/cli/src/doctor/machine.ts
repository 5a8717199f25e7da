import { accessSync, constants, existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { onPath } from '../local/on-path';
import type { DoctorLine } from './doctor-line';

const tested = [20, 22, 24];

/** The version of Node.js against what is supported: 20.19 and newer, tested on 20, 22 and 24. */
export function nodeLine(version: string): DoctorLine {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const subject = 'Node.js';
  if (major < 20 || (major === 20 && minor < 19)) return { subject, level: 'fail', seen: version, todo: 'install Node.js 20.19 or newer' };
  if (!tested.includes(major)) return { subject, level: 'warn', seen: version, todo: `Larry is tested on ${tested.join(', ')}` };
  return { subject, level: 'ok', seen: version };
}

const megabyte = 1024 * 1024;

/** Whether the state folder, or the folder it would be made in, can be written to and has room. */
export async function stateLines(state: string): Promise<DoctorLine[]> {
  const subject = 'state folder';
  const folder = nearest(path.resolve(state));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    return [{ subject, level: 'fail', seen: `${folder} cannot be written to`, todo: 'name another folder with --state' }];
  }
  const { bavail, bsize } = await statfs(folder);
  return [spaceLine(folder, bavail * bsize)];
}

/** A run writes a few megabytes; Redis' append-only file and logs a few tens more. */
export function spaceLine(folder: string, freeBytes: number): DoctorLine {
  const seen = `${folder}: ${Math.floor(freeBytes / megabyte)} MB free`;
  if (freeBytes < 100 * megabyte) return { subject: 'state folder', level: 'fail', seen, todo: 'make room, 100 MB at least, or name another folder with --state' };
  if (freeBytes < 1024 * megabyte) return { subject: 'state folder', level: 'warn', seen, todo: 'less than 1 GB: logs and the Redis of a long run may fill it' };
  return { subject: 'state folder', level: 'ok', seen };
}

function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(path.dirname(folder));
}

/** Whether a port can be opened on 127.0.0.1, where a run's own Redis and API listen. */
export async function portLine(): Promise<DoctorLine> {
  const problem = await new Promise<Error | undefined>((resolve) => {
    const server = createServer().once('error', resolve);
    server.listen(0, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
  if (problem) return { subject: 'ports', level: 'fail', seen: problem.message, todo: 'let programs listen on 127.0.0.1: a run on this machine needs it' };
  return { subject: 'ports', level: 'ok', seen: 'free ports of 127.0.0.1 can be opened' };
}

/** Programs that help and that nothing depends on. */
export function toolLines(): DoctorLine[] {
  const uses = { kubectl: 'to look around in a cluster yourself, and for the port-forward that larry run --api needs', helm: 'needed by larry install and larry uninstall, and to carry out remedies at a release' };
  return Object.entries(uses).map(([subject, use]) => {
    const file = onPath(subject);
    return { subject, level: 'ok', seen: file ?? `not on PATH; optional, ${use}` };
  });
}
