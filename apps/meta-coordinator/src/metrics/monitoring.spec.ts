import { createMetrics } from '@larry/service/nest';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Gauge } from 'prom-client';
import { parse, stringify } from 'yaml';
import { alertCounter } from './alerts.controller';
import { RunMetrics } from './run-metrics';

const helm = path.resolve(__dirname, '../../../../helm');
const read = (file: string): string => readFileSync(path.join(helm, file), 'utf8');
const charts = ['meta-coordinator', 'larry-01', 'larry-02', 'larry-03'];

interface Dashboard {
  templating: { list: { name: string; query: string }[] };
  panels: { id: number; title: string; targets: { expr: string; legendFormat: string }[] }[];
}
const dashboard = JSON.parse(read('meta-coordinator/dashboards/larry-runs.json')) as Dashboard;
const variables = new Map(dashboard.templating.list.map(({ name, query }) => [name, query]));
const filled = (expr: string): string => expr.replace(/\$(\w+)/g, (_, name: string) => variables.get(name) ?? `no variable ${name}`);
const panels = dashboard.panels.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target, expr: filled(target.expr) })));
interface Rules {
  groups: { rules: { alert: string; expr: string }[] }[];
}
const rules = charts.flatMap((chart) => (parse(read(`${chart}/files/alerts.yaml`)) as Rules).groups.flatMap((group) => group.rules));

const promtool = spawnSync('promtool', ['--version']).error === undefined;
const withPromtool = promtool ? it : it.skip;
if (!promtool) console.warn('skipped: expressions and alerts are tried by promtool, which is not on PATH (apt-get install prometheus)');

/** What our services export, by name, with the labels that their series have. */
async function exported(): Promise<Map<string, Set<string>>> {
  const meta = createMetrics({});
  new RunMetrics(meta).show(
    {
      now: 0,
      run: { run: 'r', mode: 'observe', planHash: '', status: 'running', createdAt: 0, deadline: 1, phases: [{ larry: 'larry-01', status: 'in_progress', total: 1, completed: 0, failed: 0, skipped: 0, progress: 0 }] },
      tasks: [{ task: 't', larry: 'larry-01', worker: 'w', node: 'n', status: 'in_progress', attempt: 1, claimable: false, converge: false }],
    },
    [{ node: 'run', limit: 1, reserve: 0, used: 0, held: 0, drawn: 0 }, { node: 'larry-01', parent: 'run', limit: 1, reserve: 0, used: 5, held: 0, drawn: 0 }],
  );
  alertCounter(meta).inc({ event: 'worker_failure' });
  // As startLarryService makes it; that it is there is seen by each Larry's own test.
  const larry = createMetrics({ larry_id: 'larry-01' });
  new Gauge({ name: 'larry_workers_active', help: 'h', registers: [larry] }).set(1);
  const found = new Map<string, Set<string>>();
  for (const registry of [meta, larry]) {
    for (const { name, values } of (await registry.getMetricsAsJSON()) as { name: string; values: { labels: object }[] }[]) {
      found.set(name, new Set([...(found.get(name) ?? []), ...values.flatMap(({ labels }) => Object.keys(labels))]));
    }
  }
  return found;
}

/** What Prometheus itself gives to every series. */
const ofPrometheus = ['job', 'instance'];
const words = new Set(['by', 'on', 'or', 'and', 'offset', 'absent', 'sum', 'max', 'changes', 'up']);

/** The metrics of an expression, and every label that it selects, groups or shows by. */
function used(expr: string, legend = ''): { metrics: string[]; labels: string[] } {
  const groups = [...expr.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(','));
  const selected = [...expr.matchAll(/([a-z_]+)\s*(?:=~|!=|!~|=)\s*"/g)].map(([, name = '']) => name);
  const shown = [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, name = '']) => name);
  const bare = expr.replace(/"[^"]*"/g, '').replace(/\{[^}]*\}|\[[^\]]*\]|\b(?:by|on)\s*\([^)]*\)/g, ' ');
  const metrics = [...bare.matchAll(/[a-z_]{2,}/g)].map(([name]) => name).filter((name) => !words.has(name));
  return { metrics: [...new Set(metrics)], labels: [...new Set([...groups, ...selected, ...shown].map((name) => name.trim()))] };
}

const expressions = [...panels.map(({ title, expr, legendFormat }) => [title, expr, legendFormat] as const), ...rules.map(({ alert, expr }) => [alert, expr, ''] as const)];

it.each(expressions)('%s asks for what our services export, by labels that they have', async (_, expr, legend) => {
  const known = await exported();
  const { metrics, labels } = used(expr, legend);
  if (metrics.length === 0) expect(expr).toContain('up{');
  for (const metric of metrics) expect([metric, known.has(metric)]).toEqual([metric, true]);
  const there = new Set([...ofPrometheus, ...metrics.flatMap((metric) => [...(known.get(metric) ?? [])])]);
  expect(labels.filter((label) => !there.has(label))).toEqual([]);
});

describe('to promtool', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-monitoring-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}` };
  };

  withPromtool('every expression of the dashboard is PromQL', () => {
    const file = path.join(folder, 'panels.yaml');
    writeFileSync(file, stringify({ groups: [{ name: 'panels', rules: panels.map(({ expr }, i) => ({ record: `panel_${i}`, expr })) }] }));
    expect(run('check', 'rules', file)).toEqual({ status: 0, said: expect.stringContaining(`SUCCESS: ${panels.length} rules found`) });
  });

  withPromtool('every alert is raised by what it is for, and by nothing else', () => {
    const file = path.join(folder, 'alerts.test.yaml');
    writeFileSync(file, readFileSync(path.resolve(__dirname, '../../test/alerts.test.yaml'), 'utf8').replaceAll('HELM', helm));
    expect(run('test', 'rules', file)).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
  });
});
