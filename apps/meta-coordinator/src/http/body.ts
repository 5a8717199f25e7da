import type { z } from 'zod';
import { ProblemException } from './problem';

/** A request's body or parameter by its schema. @throws ProblemException 400 that names every field that does not fit */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((i) => ({ path: i.path.join('.'), message: i.message }));
  const text = problems.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
  throw new ProblemException(400, `the request does not fit: ${text}`, { problems });
}
