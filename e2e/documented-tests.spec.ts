import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repository } from './src/helm';

/** A page that says which test holds something must name one that is there: `path` *name* · *another of the same file*. */
const page = readFileSync(path.join(repository, 'docs/security.md'), 'utf8');
const named = [...page.matchAll(/`([\w./-]+spec\.ts)`((?: (?:· )?\*[^*\n]+\*)+)/g)].flatMap(([, file = '', names = '']) => [...names.matchAll(/\*([^*]+)\*/g)].map(([, name = '']) => ({ file, name })));

it('docs/security.md names more than twenty tests, each of which is in its file', () => {
  expect(named.length).toBeGreaterThan(20);
  const missing = named.filter(({ file, name }) => !existsSync(path.join(repository, file)) || !testsOf(file).includes(name));
  expect(missing).toEqual([]);
});

function testsOf(file: string): string {
  const lines = readFileSync(path.join(repository, file), 'utf8').split('\n');
  return lines.filter((line) => /\b(?:it|search|describe|withBroker)\w*(?:\(|\.each|\.skip)|^\s*\]\)\(/.test(line)).join('\n');
}
