import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exitCodes, UserError } from '../user-error';

/** A file to be: its name within the folder, and its text. */
export interface FileToWrite {
  name: string;
  text: string;
}

/**
 * Writes files into a folder: all of them beside their places first, then renamed, so that a full disk or a folder
 * without the right to write leaves what was there before. Returns their paths. Throws one {@link UserError}.
 */
export function writeFiles(folder: string, files: readonly FileToWrite[]): string[] {
  const mark = `.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  const written: string[] = [];
  try {
    mkdirSync(folder, { recursive: true });
    for (const { name, text } of files) {
      const temporary = path.join(folder, `.${name}${mark}`);
      written.push(temporary);
      writeDurably(temporary, text);
    }
    return files.map(({ name }, i) => {
      const file = path.join(folder, name);
      renameSync(written[i] as string, file);
      return file;
    });
  } catch (error) {
    for (const file of written) rmSync(file, { force: true });
    throw cannotWrite(folder, error);
  }
}

/** On disk before its name is: a rename must not overtake the text. */
function writeDurably(file: string, text: string): void {
  const descriptor = openSync(file, 'wx', 0o644);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const sentences: Record<string, string> = {
  ENOSPC: 'the disk is full; make room or name another folder',
  EDQUOT: 'your disk quota is used up; make room or name another folder',
  EACCES: 'you may not write there; name another folder',
  EPERM: 'you may not write there; name another folder',
  EROFS: 'it is read-only; name another folder',
  ENOTDIR: 'a part of that path is a file; name another folder',
  EEXIST: 'there is a file of that name; name another folder',
  EISDIR: 'there is a folder where a file should be written; name another folder',
};

function cannotWrite(folder: string, error: unknown): UserError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new UserError(`cannot write to ${folder}: ${sentences[code ?? ''] ?? message}; nothing was left half-written`, exitCodes.usage);
}
