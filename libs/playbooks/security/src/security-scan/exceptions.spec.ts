import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { aDeployment, memoryCluster } from '@larry/kube/testing';
import { namespace, scan } from './__fixtures__/scan';
import { loadExceptions, parseExceptions } from './exceptions';

const valid = {
  rule: 'pss-baseline/privileged',
  object: { kind: 'Deployment', namespace: 'database', name: 'agent-*' },
  owner: 'ops',
  reason: 'it tunes the kernel',
  expires: '2026-12-31',
};
const yaml = `# what we live with
- rule: pss-baseline/privileged
  object: { kind: Deployment, namespace: database, name: agent-* }
  owner: ops
  reason: it tunes the kernel
  expires: 2026-12-31
`;
const privileged = { containers: [{ name: 'app', image: 'a:1', securityContext: { privileged: true } }] };
const cluster = memoryCluster([
  namespace('database'),
  ...['agent-1', 'web'].map((name) => aDeployment({ name, namespace: 'database', template: privileged })),
]);

describe('an exceptions file', () => {
  it('is a list of rule, object, owner, reason and expiry', () => {
    expect(parseExceptions(yaml, 'larry.yaml')).toEqual({ entries: [valid], problems: [] });
  });

  it('may be empty', () => {
    expect(parseExceptions('# nothing yet\n', 'f')).toEqual({ entries: [], problems: [] });
  });

  it.each([
    ['an unknown field', yaml.replace('owner: ops', 'owner: ops\n  onwer: ops'), 'larry.yaml:2: '],
    ['a missing reason', yaml.replace(/ {2}reason.*\n/, ''), 'larry.yaml:2: reason: '],
    [
      'a day that is none',
      yaml.replace('2026-12-31', '2026-02-30'),
      'larry.yaml:6: expires: is no day of the calendar',
    ],
    ['a date with a time', yaml.replace('2026-12-31', '2026-12-31T00:00:00Z'), 'larry.yaml:6: expires: must be a day'],
    ['an object that names nothing', yaml.replace(/\{.*\}/, '{}'), 'larry.yaml:3: object: name at least one of kind'],
    ['an unknown selector', yaml.replace('kind:', 'sort:'), 'larry.yaml:3: object: '],
    ['an empty owner', yaml.replace('owner: ops', "owner: ' '"), 'larry.yaml:4: owner: '],
    ['something that is not YAML', 'a: [', 'larry.yaml:1: not YAML'],
    ['a map', 'rule: x', 'larry.yaml:1: must be a list'],
    ['a word', '- word', 'larry.yaml:1: '],
  ])('with %s names file, line and field', (_, text, problem) => {
    const { entries, problems } = parseExceptions(text, 'larry.yaml');
    expect(entries).toEqual([]);
    expect(problems[0]).toContain(problem);
  });

  it('loses no good entry to a bad one', () => {
    const { entries, problems } = parseExceptions(`${yaml}- rule: x\n`, 'f');
    expect(entries).toEqual([valid]);
    expect(problems.every((p) => p.startsWith('f:7: '))).toBe(true);
  });

  it('cannot grow by aliases', () => {
    expect(parseExceptions('- &a [x, x]\n- [*a, *a]\n', 'f').entries).toEqual([]);
  });

  it('is read from its path; one that cannot be read is said and covers nothing', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'larry-exceptions-'));
    try {
      writeFileSync(path.join(folder, 'e.yaml'), yaml);
      expect((await loadExceptions(path.join(folder, 'e.yaml'))).entries).toEqual([valid]);
      expect((await loadExceptions(path.join(folder, 'gone.yaml'))).problems[0]).toContain('ENOENT');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('an exception', () => {
  const found = async (exception: object) => {
    const diagnosis = await scan(cluster, { others: true, exceptions: [{ ...valid, ...exception }] });
    return {
      diagnosis,
      accepted: diagnosis.findings.filter((f) => f.accepted).map((f) => `${f.rule} ${f.object.name}`),
    };
  };

  it('covers its rule on its objects and is shown with owner, reason and expiry', async () => {
    const { diagnosis, accepted } = await found({});
    expect(accepted).toEqual(['pss-baseline/privileged agent-1']);
    expect(diagnosis.findings.find((f) => f.accepted)?.accepted).toEqual({
      owner: 'ops',
      reason: 'it tunes the kernel',
      expires: '2026-12-31',
    });
    expect(diagnosis.figures).toMatchObject({ critical: 1, accepted: 1 });
  });

  it.each([
    ['all rules of a standard', { rule: 'pss-baseline/*' }, 1],
    ['by name alone', { object: { name: 'agent-1' } }, 1],
    ['in another namespace', { object: { namespace: 'data' } }, 0],
    ['of another kind', { object: { kind: 'StatefulSet' } }, 0],
    ['of another rule', { rule: 'pss-restricted/privileged' }, 0],
  ])('%s', async (_, exception, count) => {
    expect((await found(exception)).accepted).toHaveLength(count);
  });

  it('covers on its last day, and from the next day on no longer, which is said', async () => {
    expect((await found({ expires: '2026-11-22' })).accepted).toHaveLength(1);
    const { diagnosis, accepted } = await found({ expires: '2026-11-21' });
    expect(accepted).toEqual([]);
    expect(diagnosis.summary).toContain('1 exception has expired');
    expect(diagnosis.artifacts?.['exceptions']).toMatchObject({ expired: [{ expires: '2026-11-21' }], used: [] });
  });

  it('that covers nothing is reported as unused', async () => {
    expect((await found({ rule: 'none/such' })).diagnosis.artifacts?.['exceptions']).toMatchObject({
      unused: [{ rule: 'none/such' }],
    });
  });

  it('of a file with problems is said among the unknowns', async () => {
    const diagnosis = await scan(cluster, { others: true, exceptions: '/does/not/exist.yaml' });
    expect(diagnosis.unknowns.map((u) => u.subject)).toContain('exceptions');
  });
});
