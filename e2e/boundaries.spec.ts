import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '..');

const boundary = '@nx/enforce-module-boundaries';
const owner = 'no-restricted-imports';

/** Code that must never pass, one for each rule of `eslint.config.mjs`: the canary of the lint itself. */
const planted: { folder: string; code: string; rule: string; why: string }[] = [
  { folder: 'libs/contracts/src', code: "import '@larry/redis';", rule: boundary, why: 'contracts import nothing' },
  { folder: 'libs/kube/src', code: "import '@larry/playbook';", rule: boundary, why: 'arrows only downwards' },
  { folder: 'libs/playbook/src', code: "import '@larry/coordination';", rule: owner, why: 'a playbook knows no Redis' },
  { folder: 'libs/playbooks/security/src', code: "import '@larry/playbooks-development';", rule: boundary, why: 'domains do not know each other' },
  { folder: 'apps/larry-01/src', code: "import '@larry/playbooks-security';", rule: boundary, why: "an app imports its own domain's playbooks only" },
  { folder: 'libs/coordinator/src', code: "import '@larry/simulation';", rule: boundary, why: 'no production code imports the simulation' },
  { folder: 'libs/playbooks/security/src', code: "import '@nestjs/common';", rule: owner, why: 'a playbook knows no Nest' },
  { folder: 'libs/coordination/src', code: "import 'ioredis';", rule: owner, why: 'ioredis has one owner' },
  { folder: 'libs/playbooks/infrastructure/src', code: "import '@kubernetes/client-node';", rule: owner, why: 'client-node has one owner' },
  { folder: 'libs/budget/src', code: "import 'kafkajs';", rule: owner, why: 'kafkajs has one owner' },
  { folder: 'libs/reports/src', code: 'export function f(): void {\n  Promise.resolve();\n}', rule: '@typescript-eslint/no-floating-promises', why: 'no floating promises' },
  { folder: 'libs/reports/src', code: 'export const f = (x: any): unknown => x;', rule: '@typescript-eslint/no-explicit-any', why: 'no any' },
];

describe('the lint', () => {
  it('refuses every planted line by the rule that is meant for it, and accepts a file that keeps the rules', () => {
    const files = planted.map((p, i) => path.join(p.folder, `planted-${process.pid}-${i}.ts`));
    const kept = 'libs/contracts/src/kube-object.ts';
    try {
      planted.forEach(({ code }, i) => writeFileSync(path.join(root, files[i] as string), `${code}\n`));
      const rules = lint([...files, kept]);
      const missed = planted.filter(({ rule }, i) => !rules.get(files[i] as string)?.includes(rule)).map((p) => p.why);
      expect(missed).toEqual([]);
      expect(rules.get(kept)).toEqual([]);
    } finally {
      for (const file of files) rmSync(path.join(root, file), { force: true });
    }
  });
});

/** The rule reads the project graph that Nx keeps; `nx lint` makes it, and so does this. */
function makeProjectGraph(): void {
  const env = { ...process.env, NX_DAEMON: 'false' };
  spawnSync(process.execPath, ['node_modules/.bin/nx', 'show', 'projects'], { cwd: root, env, stdio: 'ignore' });
}

/** Lints files as `nx lint` does, with the project graph at hand; gives the rules that each file breaks. */
function lint(files: string[]): Map<string, (string | null)[]> {
  makeProjectGraph();
  const env = { ...process.env, NX_DAEMON: 'false' };
  const args = ['node_modules/.bin/eslint', '--format', 'json', ...files];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
  if (!stdout.startsWith('[')) throw new Error(`eslint said: ${stdout}${stderr}`);
  const reports = JSON.parse(stdout) as { filePath: string; messages: { ruleId: string | null }[] }[];
  return new Map(reports.map((r) => [path.relative(root, r.filePath), r.messages.map((m) => m.ruleId)]));
}
