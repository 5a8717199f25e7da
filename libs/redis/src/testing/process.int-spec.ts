import { spawn } from 'node:child_process';
import path from 'node:path';
import { eventually, startServer } from '../testing';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("a test's own redis-server", () => {
  it('ends when it is stopped', async () => {
    const server = await startServer();
    expect(alive(server.pid)).toBe(true);
    await server.stop();
    await eventually(() => expect(alive(server.pid)).toBe(false));
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends with the process that started it, on %s to that process or to its group', async (signal) => {
    for (const target of ['process', 'group'] as const) {
      const program = `require('@swc/core'); const { transformSync } = require('@swc/core');
        require.extensions['.ts'] = (m, f) => m._compile(transformSync(require('fs').readFileSync(f, 'utf8'), { filename: f, module: { type: 'commonjs' }, jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }).code, f);
        require(${JSON.stringify(path.join(__dirname, 'process.ts'))}).startServer().then((s) => console.log(s.pid)); setInterval(() => undefined, 1000);`;
      const child = spawn(process.execPath, ['-e', program], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
      const pid = await new Promise<number>((resolve) => child.stdout.once('data', (data: Buffer) => resolve(Number(data.toString()))));
      expect(alive(pid)).toBe(true);
      process.kill(target === 'group' ? -(child.pid ?? 0) : (child.pid ?? 0), signal);
      // SIGKILL to the whole group ends the watchdog too, and the server with it.
      await eventually(() => expect(alive(pid)).toBe(false));
    }
  });
});
