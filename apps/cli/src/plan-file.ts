import { parsePlan, type Plan } from '@larry/contracts';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { UserError } from './user-error';

/** The default plan that comes with Larry. */
export const defaultPlanFile = path.join(__dirname, '..', '..', '..', 'plans', '3-larry.yaml');

/** Reads and checks a plan (YAML or JSON). Throws a {@link UserError} that names file, line or field, and every problem. */
export function readPlan(file = defaultPlanFile): Plan {
  if (!existsSync(file)) throw new UserError(`there is no plan at ${file}; give one with --plan`);
  const document = parseDocument(textOf(file), { prettyErrors: true });
  const bad = document.errors[0];
  if (bad) throw new UserError(`${file}:${bad.linePos?.[0].line ?? 1}: ${(bad.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')}`);
  const parsed = parsePlan(document.toJS({ maxAliasCount: 100 }));
  if ('plan' in parsed) return parsed.plan;
  const problems = parsed.problems.map((p) => `${p.path}: ${p.message}`);
  throw new UserError(`the plan ${file} cannot be used: ${problems.join('; ')}`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`the plan ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
