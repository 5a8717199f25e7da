import { aCheckReport, aFinding } from '../builders';
import { displayWidth } from '../text-layout';
import { checkToTerminal } from './terminal';

const plain = { columns: 80, colour: false, limit: 10 };
const hostile = `</script>\u001b[31m\u202eevil | ](javascript:x) ${'漢'.repeat(200)} ${'a/b'.repeat(150)}`;
const many = (n: number) => Array.from({ length: n }, (_, i) => aFinding({ rule: `rule-${String(i).padStart(2, '0')}` }));

/** Everything that a source can say, said by somebody who means harm. */
const hostileReport = aCheckReport({
  source: { type: 'live', name: hostile, simulated: false, serverVersion: hostile, takenAt: hostile },
  findings: [
    aFinding({
      title: hostile,
      rule: hostile,
      object: { apiVersion: 'v1', kind: 'Pod', namespace: hostile, name: hostile },
      owner: { kind: 'helm', release: hostile, namespace: hostile },
      also: [hostile],
      remedy: { layer: 'none', reason: hostile },
    }),
  ],
  unknowns: [{ subject: hostile, reason: hostile }],
  files: { loaded: 1, skipped: [{ file: hostile, reason: hostile }] },
});

describe('checkToTerminal', () => {
  it('takes 80 columns and no more, and no control of the source reaches the terminal', () => {
    const text = checkToTerminal(hostileReport, plain);
    expect(text.split('\n').filter((l) => displayWidth(l) > 80)).toEqual([]);
    expect(text).not.toMatch(/[\u001b\u202e]/);
  });

  it('keeps a body as it is, so that it can be copied, and cuts what nobody would', () => {
    const command = `kubectl patch deployment shop --type=json -p '${'[]'.repeat(60)}'`;
    const remedy = (text: string) => [aFinding({ remedy: { layer: 'patch', target: aFinding().object, patchType: 'json', patch: [], command: text } })];
    expect(checkToTerminal(aCheckReport({ findings: remedy(command) }), plain)).toContain(`           ${command}\n`);
    expect(checkToTerminal(aCheckReport({ findings: remedy('x'.repeat(10_000_000)) }), plain).length).toBeLessThan(3000);
    expect(checkToTerminal(aCheckReport({ findings: remedy('line\n'.repeat(30)) }), plain)).toContain('more lines: --json or --html FILE');
  });

  it('colours only when told to', () => {
    const report = aCheckReport({ findings: [aFinding({ severity: 'critical' })], source: { type: 'live', name: 'x', simulated: true } });
    expect(checkToTerminal(report, plain)).not.toContain('\u001b');
    expect(checkToTerminal(report, { ...plain, colour: true })).toContain('\u001b[1;31mCRITICAL\u001b[0m');
  });

  it('shows at most as many findings as asked for, and says how many more there are', () => {
    const report = aCheckReport({ findings: many(14) });
    const text = checkToTerminal(report, plain);
    expect(text.match(/^ {3}rule/gm)).toHaveLength(10);
    expect(text).toContain('4 more kinds of finding');
    expect(checkToTerminal(report, { ...plain, limit: Number.POSITIVE_INFINITY }).match(/^ {3}rule/gm)).toHaveLength(14);
  });

  it('says what it could not read beside "no findings", and how many reasons it leaves out', () => {
    const unknowns = Array.from({ length: 7 }, (_, i) => ({ subject: `Kind${i}`, reason: `reason ${i}` }));
    const text = checkToTerminal(aCheckReport({ unknowns }), plain);
    expect(text.replace(/\s+/g, ' ')).toContain('No findings in what could be read; 7 things could not be, and count as unknown, not as fine.');
    expect(text).toContain('Unknown (reason 0): Kind0');
    expect(text).toContain('Unknown for 2 more reasons');
  });

  it('says one reason once, however many kinds it was given for', () => {
    const unknowns = Array.from({ length: 20 }, (_, i) => ({ subject: `Kind${i}`, reason: `forbidden: kind${i} is forbidden` }));
    const text = checkToTerminal(aCheckReport({ unknowns }), plain);
    expect(text).toContain('Unknown (forbidden): Kind0');
    expect(text).not.toContain('more reasons');
  });

  it('says one reason for all namespaces that a dump lacks', () => {
    const unknowns = ['db', 'web'].map((ns) => ({ subject: `Pod in ${ns}`, reason: `namespace ${ns} is not in dump` }));
    expect(checkToTerminal(aCheckReport({ unknowns }), plain)).toContain('Unknown (namespaces not in dump): Pod in db, Pod in web');
  });

  it('counts accepted findings apart, and all files', () => {
    const accepted = { owner: 'me', reason: 'known', expires: '2027-01-01' };
    const report = aCheckReport({ findings: [aFinding({ accepted })], files: { loaded: 3, skipped: [{ file: 'a.yaml', reason: 'not YAML' }] } });
    const text = checkToTerminal(report, plain);
    expect(text).toContain('0 high');
    expect(text.replace(/\s+/g, ' ')).toContain('1 accepted (k3s baseline or your exceptions)');
    expect(text).toContain('4 = 3 loaded + 1 skipped (1: not YAML)');
  });

  it('says every reason for which files were skipped, most files first, one that names a place once', () => {
    const skipped = [
      { file: 'x', reason: 'empty' },
      ...[1, 2].map((i) => ({ file: `a${i}`, reason: `same object as in b${i}.yaml:1` })),
      ...[1, 2, 3].map((i) => ({ file: `c${i}`, reason: `does not parse: at ${i}` })),
    ];
    const text = checkToTerminal(aCheckReport({ files: { loaded: 1, skipped } }), { ...plain, columns: 200 });
    expect(text).toContain('7 = 1 loaded + 6 skipped (3: does not parse; 2: same object as in another file; 1: empty)');
  });

  it('counts a file once, and what was passed over inside it apart', () => {
    const skipped = [{ file: 'a.yaml', line: 3, reason: 'no kind', partial: true }, { file: 'a.yaml', line: 9, reason: 'no kind', partial: true }, { file: 'b.txt', reason: 'not YAML' }];
    const text = checkToTerminal(aCheckReport({ source: { type: 'manifests', name: 'm', simulated: false }, files: { loaded: 1, skipped } }), plain);
    expect(text).toContain('Files: 2 = 1 loaded + 1 skipped; and 2 documents skipped');
  });

  it('says of a folder that nothing was read, not that there are no findings in it', () => {
    const text = checkToTerminal(aCheckReport({ source: { type: 'manifests', name: 'm', simulated: false } }), plain);
    expect(text).toContain('No findings, since nothing was read.');
    expect(text).toContain('Files: 0 = 0 loaded + 0 skipped.');
    expect(checkToTerminal(aCheckReport(), plain)).not.toContain('Files:');
  });

  it('shows a body of twenty lines whole, and of a longer one both ends', () => {
    const body = (n: number) => Array.from({ length: n }, (_, i) => `line-${i + 1}`).join('\n');
    const text = (n: number) => checkToTerminal(aCheckReport({ findings: [aFinding({ remedy: { layer: 'manifest', yaml: body(n) } })] }), plain);
    expect(text(20).match(/line-\d+$/gm)).toHaveLength(20);
    expect(text(21).match(/line-\d+$/gm)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 16, 17, 18, 19, 20, 21].map((n) => `line-${n}`));
    expect(text(21)).toContain('… 5 more lines');
  });

  it('names other roots first, and counts their pods apart', () => {
    const object = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'web', name: 'agent' };
    const findings = [aFinding({ also: ['Pod web/shop-1', 'Pod web/shop-2', '4 more pods'] }), aFinding({ object, also: ['Pod web/agent-1'] })];
    expect(checkToTerminal(aCheckReport({ findings }), { ...plain, columns: 120 })).toMatch(/also +1 more: Deployment web\/shop; and 7 pods\n/);
    expect(checkToTerminal(aCheckReport({ findings: [aFinding({ also: ['Pod web/shop-1'] })] }), plain)).toMatch(/also +1 pod: Pod web\/shop-1\n/);
  });

  it('marks what is down now, so that its place before what is critical explains itself', () => {
    const findings = [aFinding({ severity: 'critical' }), aFinding({ broken: true, rule: 'pgadmin/email' })];
    const text = checkToTerminal(aCheckReport({ findings }), plain);
    expect(text).toMatch(/^ 1 DOWN NOW HIGH /m);
    expect(text).toMatch(/^ 2 CRITICAL /m);
  });

  it('says which namespaces alone a dump holds', () => {
    const source = { type: 'dump' as const, name: 'd', simulated: false, namespaces: ['default', 'kube-system'] };
    expect(checkToTerminal(aCheckReport({ source }), plain)).toContain('This dump holds only: default, kube-system; take it with -A for the rest.');
  });

  it('marks what is new since the last check', () => {
    const [old, fresh] = many(2) as [ReturnType<typeof aFinding>, ReturnType<typeof aFinding>];
    const text = checkToTerminal(aCheckReport({ findings: [old, fresh], since: { previousAt: '2026-01-01T00:00:00Z', new: [fresh.id], gone: [] } }), plain);
    expect(text.match(/HIGH NEW/g)).toHaveLength(1);
    expect(text).toContain('1 new, 0 gone');
  });

  it('says SIMULATED, and prints the same twice', () => {
    const report = aCheckReport({ findings: many(5), source: { type: 'live', name: 'x', simulated: true } });
    expect(checkToTerminal(report, plain)).toContain('SIMULATED');
    expect(checkToTerminal({ ...report, findings: [...report.findings].reverse() }, plain)).toBe(checkToTerminal(report, plain));
  });
});
