import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canonicalJson } from '@larry/contracts';
import fc from 'fast-check';
import { AuditLog } from './audit-log';
import { hashOf, maxLineBytes, type AuditEntry, type AuditRecord } from './record';
import { takeLock } from './lock';
import { verifyAudit } from './verify';

const anEntry = (more: Partial<AuditEntry> = {}): AuditEntry => ({ actor: 'larry-01/cleanup-worker', action: 'change_applied', run: 'r1', task: 'fix-pgadmin-crashloop', step: 'env', ...more });

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'larry-audit-'));
  file = path.join(folder, 'sub', 'audit.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function written(count: number): Promise<{ log: AuditLog; lines: string[] }> {
  const log = new AuditLog(file, { now: () => new Date(0) });
  for (let i = 0; i < count; i++) await log.append(anEntry({ step: `s${i}` }));
  return { log, lines: readFileSync(file, 'utf8').trimEnd().split('\n') };
}
const put = (lines: readonly string[]) => writeFileSync(file, lines.map((l) => `${l}\n`).join(''));

describe('AuditLog', () => {
  it('knows what was made, by run, task and step, and says nothing once it was edited', async () => {
    const log = new AuditLog(file);
    const made = (more: object = {}) => log.wasMade({ run: 'r1', task: 'fix-pgadmin-crashloop', step: 'env', ...more });
    expect(await made()).toBe(false);
    await log.append(anEntry({ action: 'change_intended' }));
    expect(await made()).toBe(false);
    await log.append(anEntry());
    expect([await made(), await made({ step: 'other' }), await made({ run: 'r2' }), await made({ task: 'other' })]).toEqual([true, false, false, false]);
    writeFileSync(file, readFileSync(file, 'utf8').replace('change_applied', 'change_refused'));
    await expect(made()).rejects.toThrow(/not as it was written/);
  });

  it('takes a mark that was found for no making, and vouches for what was begun or made until it was taken back', async () => {
    const log = new AuditLog(file);
    const says = async () => [await log.wasMade({ run: 'r1', task: 'fix-pgadmin-crashloop', step: 'env' }), await log.vouches({ run: 'r1', task: 'fix-pgadmin-crashloop', step: 'env' })];
    await log.append(anEntry({ action: 'change_adopted', details: { foundMarked: true } }));
    expect(await says()).toEqual([false, false]);
    for (const [action, said] of [['change_intended', [false, true]], ['change_refused', [false, false]], ['change_applied', [true, true]], ['change_rolled_back', [true, false]]] as const) {
      await log.append(anEntry({ action }));
      expect(await says()).toEqual(said);
    }
  });

  it('knows who denied a digest last, and no word that was not taken', async () => {
    const log = new AuditLog(file);
    const digest = 'a'.repeat(64);
    const say = (action: string, signature: string) => log.append(anEntry({ action, actor: `user:${signature}`, digest, details: { signature } }));
    const denied = (more: object = {}) => log.deniedBy({ run: 'r1', task: 'fix-pgadmin-crashloop', digest, ...more });
    await say('approval_granted', 'ada');
    expect(await denied()).toBeUndefined();
    await say('approval_denied', 'ben');
    expect([await denied(), await denied({ digest: 'b'.repeat(64) }), await denied({ run: 'r2' })]).toEqual(['ben', undefined, undefined]);
    await say('approval_not_taken', 'ben');
    expect(await denied()).toBeUndefined();
    await say('approval_denied', 'cid');
    await say('approval_granted', 'ada2');
    expect(await denied()).toBeUndefined();
  });

  it('chains each record to the one before and verifies', async () => {
    const { lines } = await written(3);
    const records = lines.map((l) => JSON.parse(l) as AuditRecord);
    expect(records.map((r) => r.seq)).toEqual([1, 2, 3]);
    expect(records[0]?.prevHash).toBe('0'.repeat(64));
    expect(records[2]?.prevHash).toBe(records[1]?.hash);
    expect(await verifyAudit(file)).toEqual({ state: 'intact', records: 3, head: { seq: 3, hash: records[2]?.hash }, problem: undefined });
  });

  it('writes nobody else a permission', async () => {
    await written(1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps one chain when two logs on one file append at once', async () => {
    const logs = [new AuditLog(file), new AuditLog(file)];
    await Promise.all(Array.from({ length: 60 }, (_, i) => logs[i % 2]?.append(anEntry({ step: `s${i}` }))));
    expect(await verifyAudit(file)).toMatchObject({ state: 'intact', records: 60 });
  });

  it('redacts secrets before they reach the disk', async () => {
    const log = new AuditLog(file);
    await log.append(anEntry({ details: { env: [{ name: 'DB_PASSWORD', value: 'hunter2' }], url: 'postgres://u:hunter2@h/d' } }));
    expect(readFileSync(file, 'utf8')).not.toContain('hunter2');
    expect(await verifyAudit(file)).toMatchObject({ state: 'intact' });
  });

  it('keeps the name of who acted, without what a terminal would obey', async () => {
    const { actor } = await new AuditLog(file).append(anEntry({ actor: 'token:ada\u001b[2J\u202e' }));
    expect(actor).toBe('token:ada');
  });

  const itWithFullDevice = existsSync('/dev/full') ? it : it.skip;
  itWithFullDevice('says that the disk is full', async () => {
    mkdirSync(path.dirname(file), { recursive: true });
    symlinkSync('/dev/full', file);
    await expect(new AuditLog(file).append(anEntry())).rejects.toThrow(/cannot be written \(ENOSPC.*nothing may be changed without it/);
  });

  it.each([
    [anEntry({ action: 'Not Snake' }), 'field "action"'],
    [anEntry({ digest: 'abc' }), 'field "digest"'],
    [anEntry({ details: { text: 'x'.repeat(maxLineBytes) } }), 'log its digest instead'],
  ])('refuses what is no entry and leaves the log as it was', async (entry, reason) => {
    const { log } = await written(1);
    await expect(log.append(entry)).rejects.toThrow(reason);
    expect(await verifyAudit(file)).toMatchObject({ state: 'intact', records: 1 });
    await log.append(anEntry());
    expect(await verifyAudit(file)).toMatchObject({ state: 'intact', records: 2 });
  });

  it('builds nothing on a last record that was edited', async () => {
    const { log, lines } = await written(2);
    put([lines[0] ?? '', (lines[1] ?? '').replace('cleanup', 'cleanUp')]);
    await expect(log.append(anEntry())).rejects.toThrow('the last record is damaged');
  });

  it('says and takes away a torn last line, wherever it was torn', async () => {
    const { lines } = await written(2);
    const whole = readFileSync(file);
    const firstLine = Buffer.byteLength(lines[0] ?? '') + 1;
    for (let size = firstLine + 1; size < whole.length - 1; size += 37) {
      writeFileSync(file, whole.subarray(0, size));
      expect(await verifyAudit(file)).toMatchObject({ state: 'torn', records: 1, problem: { kind: 'torn', line: 2 } });
      await new AuditLog(file).append(anEntry({ step: 'after' }));
      const actions: string[] = [];
      expect(await verifyAudit(file, { onRecord: (r) => actions.push(r.action) })).toMatchObject({ state: 'intact', records: 3 });
      expect(actions).toEqual(['change_applied', 'torn_line_removed', 'change_applied']);
    }
  });

  it('keeps a last record that lacks its newline only', async () => {
    const { log } = await written(2);
    truncateSync(file, statSync(file).size - 1);
    expect(await verifyAudit(file)).toMatchObject({ state: 'torn', records: 1 });
    expect((await log.append(anEntry())).seq).toBe(3);
    expect(await verifyAudit(file)).toMatchObject({ state: 'intact', records: 3 });
  });

  it('says in one sentence that it cannot be opened', async () => {
    appendFileSync(path.join(folder, 'sub'), 'a file where the folder should be');
    await expect(new AuditLog(file).append(anEntry())).rejects.toThrow();
  });
});

describe('verifyAudit', () => {
  const expectProblem = async (kind: string, line: number, options = {}) =>
    expect(await verifyAudit(file, options)).toMatchObject({ state: 'broken', problem: { kind, line } });

  it('calls an empty log intact', async () => {
    appendFileSync(path.join(folder, 'audit.jsonl'), '');
    expect(await verifyAudit(path.join(folder, 'audit.jsonl'))).toEqual({ state: 'intact', records: 0, head: undefined, problem: undefined });
  });
  it('says that a file is missing', async () => {
    await expect(verifyAudit(file)).rejects.toThrow('cannot be read');
  });
  it('finds an edited line', async () => {
    const { lines } = await written(4);
    put(lines.map((l, i) => (i === 2 ? l.replace('"s2"', '"s9"') : l)));
    await expectProblem('edited', 3);
  });
  it('finds an edited line whose own hash was made anew', async () => {
    const { lines } = await written(4);
    const forged = { ...(JSON.parse(lines[1] ?? '') as AuditRecord), actor: 'someone-else' };
    put(lines.map((l, i) => (i === 1 ? canonicalJson({ ...forged, hash: hashOf(forged) }) : l)));
    await expectProblem('replaced', 3);
  });
  it('finds a removed line', async () => {
    const { lines } = await written(4);
    put(lines.filter((_, i) => i !== 1));
    await expectProblem('removed', 2);
  });
  it('finds an inserted and a repeated line', async () => {
    const { lines } = await written(4);
    put([...lines.slice(0, 2), lines[1] ?? '', ...lines.slice(2)]);
    await expectProblem('inserted', 3);
  });
  it('finds two lines that changed places', async () => {
    const { lines } = await written(4);
    put([lines[0], lines[2], lines[1], lines[3]].map((l) => l ?? ''));
    await expectProblem('removed', 2);
  });
  it('finds a cut tail, and a log written anew, by the expected head alone', async () => {
    const { lines } = await written(4);
    const { head } = await verifyAudit(file);
    put(lines.slice(0, 2));
    expect(await verifyAudit(file)).toMatchObject({ state: 'intact', records: 2 });
    await expectProblem('truncated', 3, { expectedHead: head });
    rmSync(file);
    await new AuditLog(file).append(anEntry({ step: 'other' }));
    await expectProblem('replaced', 1, { expectedHead: { seq: 1, hash: (JSON.parse(lines[0] ?? '') as AuditRecord).hash } });
  });
  it('does not read an endless line into memory', async () => {
    await written(1);
    appendFileSync(file, 'x'.repeat(3 * maxLineBytes));
    await expectProblem('edited', 2);
  });

  it('finds every edit of a single byte', async () => {
    await written(4);
    const whole = readFileSync(file);
    const edit = fc.record({ kind: fc.constantFrom('replace', 'remove', 'insert'), at: fc.nat(whole.length - 1), byte: fc.integer({ min: 0, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(edit, async ({ kind, at, byte }) => {
        const middle = kind === 'remove' ? [] : [byte];
        const edited = Buffer.concat([whole.subarray(0, at), Buffer.from(middle), whole.subarray(kind === 'insert' ? at : at + 1)]);
        fc.pre(!edited.equals(whole));
        writeFileSync(file, edited);
        expect((await verifyAudit(file)).state).not.toBe('intact');
      }),
      { numRuns: 1500 },
    );
  });
});

describe('the lock', () => {
  it('is gone after each append', async () => {
    await written(2);
    expect(existsSync(`${file}.lock`)).toBe(true);
    expect(readdirSync(`${file}.lock`)).toEqual([]);
  });
  it('passes over the ticket of a process that has died, and of another with its id', async () => {
    const { log } = await written(1);
    const place = await placeOfThisHost();
    writeFileSync(path.join(`${file}.lock`, `${place}.4194999.1.aa`), '');
    writeFileSync(path.join(`${file}.lock`, `${place}.${process.pid}.1.bb`), '');
    await log.append(anEntry());
    expect(readdirSync(`${file}.lock`)).toEqual([]);
  });
  it('gives up in one sentence while a live process, or a fresh one of another host, holds it', async () => {
    await written(1);
    const foreign = path.join(`${file}.lock`, 'otherhost.1.1.cc');
    writeFileSync(foreign, '');
    await expect(new AuditLog(file, { lockWaitMs: 50 }).append(anEntry())).rejects.toThrow('another process has held the lock');
    utimesSync(foreign, 0, 0);
    await new AuditLog(file).append(anEntry());
    expect(existsSync(foreign)).toBe(false);
  });
});

/** The first part of a real ticket's name. */
async function placeOfThisHost(): Promise<string> {
  const probe = path.join(folder, 'probe.lock');
  const lock = await takeLock(probe, { waitMs: 100, foreignStaleMs: 1000 });
  const [ticket = ''] = readdirSync(probe);
  await lock.release();
  return ticket.split('.')[0] ?? '';
}
