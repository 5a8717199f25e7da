import { diagnose, collectFacts, type DiagnosisReport } from '@larry/diagnosis';
import { aNode, aService, aWorkload, crashed, minutesAgo, testNow } from '@larry/diagnosis/testing';
import { memoryCluster } from '@larry/kube/testing';
import { explainAsSvg } from './explain-svg';
import { explainAsText } from './explain-text';
import { diagnosisToMarkdown, diagnosisToTerminal } from './report-text';

const source = { type: 'snapshot', name: './snap', simulated: true, takenAt: testNow } as const;
const screen = { columns: 100, colour: false, limit: 10 };

async function reportOf(name = 'db'): Promise<DiagnosisReport> {
  const database = [...aWorkload(name, { containers: [crashed(137, { reason: 'OOMKilled', spec: { image: 'postgres:16', resources: { limits: { memory: '32Mi' } } } })] }), aService({ name, namespace: 'shop', spec: { ports: [{ port: 5432 }] } })];
  const caller = aWorkload('web', { containers: [crashed(1, { spec: { env: [{ name: 'DB_ADDR', value: `${name}:5432` }] } })] });
  const logs = { 'shop/web-aaaaa-0/app': `dial tcp: connect: connection refused ${name}:5432 \u001b[31m<script>|` };
  return diagnose(await collectFacts(memoryCluster([aNode(), ...database, ...caller], { logs, source })));
}

describe('what larry diagnose shows', () => {
  it('says on the screen what is wrong, what says so, what follows from it and what to change', async () => {
    const text = diagnosisToTerminal(await reportOf(), source, screen);
    for (const part of ['SIMULATED', 'oom_killed', 'Deployment shop/db', 'its limit is 32Mi', 'Deployment shop/web', 'kubectl patch deployment.apps/db --namespace=shop', '1 root cause.']) expect(text).toContain(part);
    for (const line of text.split('\n').filter((l) => !l.includes('kubectl patch'))) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('shows a change as it is typed: indentation and the marks of a diff, and nothing that moves the cursor', async () => {
    const report = await reportOf();
    const diff = '--- a/db.yaml\n+++ b/db.yaml\n@@ -1 +1 @@\n-    memory: 32Mi\n+    memory: 64Mi \u001b[2J\n';
    const findings = report.findings.map((f) => ({ ...f, remedy: { layer: 'manifest' as const, file: 'db.yaml', line: 1, yaml: 'x', diff } }));
    const text = diagnosisToTerminal({ ...report, findings }, source, screen);
    expect(text).toContain('\n            -    memory: 32Mi\n            +    memory: 64Mi\n');
    expect(text).not.toContain('\u001b');
  });

  it('draws the causal graph as text: callers below the Service, below what is broken', async () => {
    const text = explainAsText((await reportOf()).findings);
    expect(text.split('\n')[0]).toBe('Deployment shop/db: oom_killed (0.97)');
    expect(text).toMatch(/Service shop\/db .*\n[\s\S]*Deployment shop\/web .*calls \(DB_ADDR\)/);
  });

  it('draws it as one SVG with every object once and nothing of the cluster as markup', async () => {
    const { findings } = await reportOf();
    const svg = explainAsSvg(findings.map((f) => ({ ...f, name: '<script>"&', chain: f.chain.map((edge) => ({ ...edge, to: edge.to === 'Deployment shop/db' ? 'Deployment shop/<script>"&' : edge.to })) })));
    expect(svg).not.toContain('<script>');
    expect(svg.match(/<rect /g)).toHaveLength(new Set(findings.flatMap((f) => f.chain.flatMap((e) => [e.from, e.to]))).size);
  });

  it('writes Markdown in which nothing of a log is markup', async () => {
    const text = diagnosisToMarkdown(await reportOf(), source);
    expect(text).toContain('## 1. oom\\_killed');
    expect(text).not.toContain('<script>');
    expect(text).not.toContain('\u001b');
  });

  it('says when nothing is wrong, and what could not be read', async () => {
    const facts = await collectFacts(memoryCluster([aNode(), ...aWorkload('web', {})], { source, unknown: { Secret: 'forbidden' } }));
    const text = diagnosisToTerminal(diagnose(facts), source, screen);
    expect(text).toContain('Nothing is wrong in what could be read.');
    expect(text).toContain('Unknown (forbidden): Secret objects');
    expect(diagnosisToTerminal(diagnose(facts), { ...source, type: 'manifests' }, screen)).toContain('whether anything runs, they do not tell');
    expect(minutesAgo(0).slice(0, 19)).toBe(testNow.slice(0, 19));
  });
});
