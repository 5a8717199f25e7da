import { verifyAudit, type AuditHead } from '@larry/audit';
import { printable } from '@larry/contracts';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { exitCodes, UserError } from '../user-error';

/** `larry audit verify [file]`: whether every record of the log is as it was written. */
export async function verifyAuditLog(file: string | undefined, options: { state: string; expectHead?: string; json?: boolean }): Promise<void> {
  const log = file ?? path.join(options.state, 'audit.jsonl');
  if (!existsSync(log)) throw new UserError(`there is no audit log at ${log}; name the file, or its folder with --state`);
  const head = options.expectHead === undefined ? undefined : headOf(options.expectHead);
  const verdict = await verifyAudit(log, head ? { expectedHead: head } : {});
  process.exitCode = verdict.state === 'intact' ? exitCodes.ok : exitCodes.found;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ file: log, ...verdict }, null, 2)}\n`);
    return;
  }
  const { state, records, problem } = verdict;
  const end = verdict.head ? ` Head ${verdict.head.seq}:${verdict.head.hash}` : '';
  if (state === 'intact') process.stdout.write(`✅ ${log}: ${records} records, each as it was written.${end}${head ? '' : '\n   Whether records are missing at the end only a head kept elsewhere can tell: --expect-head SEQ:HASH'}\n`);
  else process.stdout.write(`❌ ${log}:${problem?.line ?? 0}: ${problem?.kind ?? 'broken'}: ${printable(problem?.reason ?? '', 500)}\n   ${records} records before it are right.${end}\n`);
}

function headOf(text: string): AuditHead {
  const match = /^(\d+):([0-9a-f]{64})$/.exec(text);
  if (!match) throw new UserError('--expect-head takes SEQ:HASH as an earlier larry audit verify printed it');
  return { seq: Number(match[1]), hash: match[2] as string };
}
