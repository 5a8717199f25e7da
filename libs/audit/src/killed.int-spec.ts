import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AuditLog } from './audit-log';
import { verifyAudit } from './verify';

/** Compiles sources on the way in, as jest does here: the child runs the same files. */
const child = `
const swc = require('@swc/core'), path = require('node:path'), Module = require('node:module');
const compile = { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } };
Module._extensions['.ts'] = (m, f) => m._compile(swc.transformFileSync(f, compile).code, f);
const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => resolve(name === '@larry/contracts' ? path.resolve('libs/contracts/src/index.ts') : name, ...rest);
const { AuditLog } = require(path.resolve('libs/audit/src/audit-log.ts'));
const log = new AuditLog(process.argv[1], { lockWaitMs: 60000 });
(async () => {
  for (let i = 0; ; i++) {
    const { seq, hash } = await log.append({ actor: 'child', action: 'change_applied', step: 's' + i, details: { text: 'x'.repeat(20000) } });
    process.stdout.write(JSON.stringify({ seq, hash }) + '\\n');
  }
})();`;

describe('a log whose writers are killed', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-audit-kill-'));
  const file = path.join(folder, 'audit.jsonl');
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const process of children) process.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function start(): { process: ChildProcess; acknowledged: { seq: number; hash: string }[]; at: (count: number) => Promise<void> } {
    const process = spawn(globalThis.process.execPath, ['-e', child, file], { cwd: path.resolve(__dirname, '../../..'), stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(process);
    const acknowledged: { seq: number; hash: string }[] = [];
    let text = '';
    process.stdout.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString()).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) acknowledged.push(JSON.parse(line) as { seq: number; hash: string });
    });
    const at = async (count: number) => {
      while (acknowledged.length < count) await once(process.stdout, 'data');
    };
    return { process, acknowledged, at };
  }

  it('loses no record that was acknowledged, keeps one chain, and lets the others go on', async () => {
    const writers = [start(), start(), start()];
    for (const [i, writer] of writers.entries()) {
      await writer.at(5 + 5 * i);
      writer.process.kill('SIGKILL');
      await once(writer.process, 'exit');
    }
    expect(['intact', 'torn']).toContain((await verifyAudit(file)).state);
    await new AuditLog(file).append({ actor: 'survivor', action: 'change_applied' });
    const hashes = new Map<number, string>();
    expect(await verifyAudit(file, { onRecord: (r) => hashes.set(r.seq, r.hash) })).toMatchObject({ state: 'intact' });
    const acknowledged = writers.flatMap((w) => w.acknowledged);
    expect(acknowledged.length).toBeGreaterThanOrEqual(30);
    for (const { seq, hash } of acknowledged) expect(hashes.get(seq)).toBe(hash);
    expect(readFileSync(file).length).toBeGreaterThan(30 * 20_000);
  });
});
