import { verifyAudit } from '@larry/audit';
import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import { typedCommand } from '../program/typed-command';
import type { DoctorLine } from './doctor-line';

/** What only their owner may read: with them changes are approved, journals sealed, and the API spoken to. */
const secrets = ['keys/approval.key', 'keys/journal.key', 'keys/tokens.json', 'stack.json', 'kubeconfig'];

/** The rights of the keys, and the audit log, as far as there are any. */
export async function keptLines(state: string): Promise<DoctorLine[]> {
  return [...keyLines(state), ...(await auditLines(state))];
}

function keyLines(state: string): DoctorLine[] {
  const there = secrets.map((name) => path.join(state, name)).filter((file) => existsSync(file));
  if (there.length === 0) return [];
  const open = there.filter((file) => (statSync(file).mode & 0o077) !== 0);
  if (open.length === 0) return [{ subject: 'keys', level: 'ok', seen: `${there.length} files under ${state} that only you can read` }];
  const broken = open.some((file) => file.endsWith('.key'));
  const todo = `chmod 600 ${open.join(' ')}${broken ? '; whoever has read a key can approve changes: remove it and larry run makes another' : ''}`;
  return [{ subject: 'keys', level: 'fail', seen: `others can read ${open.join(', ')}`, todo }];
}

async function auditLines(state: string): Promise<DoctorLine[]> {
  const subject = 'audit log';
  const file = path.join(state, 'audit.jsonl');
  if (!existsSync(file)) return [{ subject, level: 'ok', seen: 'none yet; the first run writes it' }];
  try {
    closeSync(openSync(file, 'a'));
  } catch (error) {
    return [{ subject, level: 'fail', seen: `${file} cannot be written to: ${(error as NodeJS.ErrnoException).code ?? String(error)}`, todo: 'make it writable for you: without it nothing is changed or approved' }];
  }
  const { state: verdict, records, problem } = await verifyAudit(file);
  if (verdict === 'intact') return [{ subject, level: 'ok', seen: `${file}: ${records} records, each as it was written` }];
  const seen = `${file}:${problem?.line ?? 0}: ${problem?.reason ?? verdict}`;
  if (verdict === 'torn') return [{ subject, level: 'warn', seen, todo: 'its last writer was killed; the next record says so and goes on' }];
  return [{ subject, level: 'fail', seen, todo: `keep a copy, look with ${typedCommand('audit verify', { state })}, then move the file away: larry run begins another` }];
}
