import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { childPrelude } from './testing-child';

const lines = (program: string): Record<string, unknown>[] => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', `${childPrelude}${program}`], { cwd: path.resolve(__dirname, '../../..'), encoding: 'utf8' });
  if (stderr) throw new Error(stderr);
  return stdout.trim().split('\n').map((l) => JSON.parse(l) as Record<string, unknown>);
};

describe('createLogger', () => {
  it('writes a JSON line with its bindings, the level in words, and no secret', () => {
    const [line] = lines(`
      const { createLogger } = require(path.resolve('libs/service/src/logging.ts'));
      const log = createLogger({ larry: 'larry-01' }, 'info').child({ run: 'r', task: 't', fence: 3 });
      log.debug({}, 'not shown');
      log.warn({ password: 'hunter2', waitedMs: 5, error: 'redis://user:hunter2@host' }, 'lease lost');
    `);
    expect(line).toMatchObject({ level: 'warn', larry: 'larry-01', run: 'r', task: 't', fence: 3, waitedMs: 5, msg: 'lease lost' });
    expect(line?.['time']).toMatch(/^\d{4}-.*Z$/);
    expect(JSON.stringify(line)).not.toContain('hunter2');
  });
});
