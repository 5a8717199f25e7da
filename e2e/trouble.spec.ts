import type { Fault as ApiFault } from '@larry/simulation';
import { eventually } from '@larry/redis/testing';
import { aPlan, aTask } from './src/plan';
import { beginRun, resultOf, runEnd, statuses } from './src/run';
import { aScene, redisForFile, type Scene } from './scene';

const redis = redisForFile();
let scene: Scene;
afterEach(() => scene.end());

interface Trouble {
  says: string;
  fault: ApiFault;
  method?: string;
  status: string;
  sentence: RegExp;
  /** Minutes of the task. */
  minutes?: number;
}

const answer = (code: 401 | 403 | 409 | 410 | 429 | 500): ApiFault => ({ kind: 'answer', code, ...(code === 429 ? { retryAfterSeconds: 0 } : {}) });
const troubles: Trouble[] = [
  { says: '401 to reads', fault: answer(401), method: 'GET', status: 'failed', sentence: /refuses the credentials .*401/ },
  { says: '403 to reads', fault: answer(403), method: 'GET', status: 'failed', sentence: /403|forbidden/i },
  { says: '403 to writes', fault: answer(403), method: 'PATCH', status: 'completed', sentence: /refused: .*forbidden/i },
  { says: '409 to writes', fault: answer(409), method: 'PATCH', status: 'completed', sentence: /superseded: .*modified/ },
  { says: '410 to reads', fault: answer(410), method: 'GET', status: 'failed', sentence: /too old|410|Gone|Expired/i },
  { says: '429 to writes', fault: answer(429), method: 'PATCH', status: 'completed', sentence: /refused: .*[Tt]oo many requests/ },
  { says: '500 to writes', fault: answer(500), method: 'PATCH', status: 'failed', sentence: /dry run.*500/ },
  { says: '500 to reads', fault: answer(500), method: 'GET', status: 'failed', sentence: /500|Internal error/ },
  { says: 'nothing at all', fault: { kind: 'hang' }, method: 'GET', status: 'skipped', sentence: /timed-out/, minutes: 0.15 },
];

it('a cluster that answers with errors, or not at all, ends every task with a sentence and the run with them', async () => {
  const tasks = troubles.map((t, i) => ({ ...t, id: `effects-${i + 1}` }));
  const plan = aPlan({ 'larry-01': tasks.map(({ id, minutes }) => aTask(id, { attempts: 1, ...(minutes ? { minutes } : {}), with: { effects: 2, kinds: 'patch', deployments: 1 } })) });
  scene = await aScene(redis(), plan, { env: { LARRY_MAX_WORKERS: '5' } });
  for (const { id, fault, method } of tasks) scene.server.faults.add({ path: new RegExp(`counted-${id}-0`), times: 1000, fault, ...(method ? { method } : {}) });
  await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  const ended = statuses(await runEnd(scene.coordination, run, 60_000));
  for (const { id, says, status, sentence } of tasks) {
    const record = await scene.coordination.task(id);
    const changes = ((record?.result ?? { changes: [] }) as { changes: { outcome: string; reason?: string }[] }).changes;
    const said = [record?.reason, record?.skipReason, ...changes.map((c) => `${c.outcome}: ${c.reason}`)].filter(Boolean).join('\n');
    expect([says, ended[id], said]).toEqual([says, status, expect.stringMatching(sentence)]);
  }
  expect(scene.counts(run).doubled).toEqual([]);
});

describe('a Redis in trouble in the middle of a run', () => {
  const effects = 45;
  const plan = aPlan({ 'larry-01': [1, 2].map((n) => aTask(`effects-${n}`, { attempts: 10, with: { effects } })) });
  const accepted = (): number => scene.server.journal().filter((e) => e.manager === 'larry' && e.changed).length;

  it.each<[string, (redis: Scene['coordination']['redis']['commands']) => Promise<unknown>, (redis: Scene['coordination']['redis']['commands']) => Promise<unknown>]>([
    ['out of memory', (c) => c.config('SET', 'maxmemory', '100kb'), (c) => c.config('SET', 'maxmemory', '0')],
    ['read-only', (c) => c.replicaof('127.0.0.1', 1), (c) => c.replicaof('NO', 'ONE')],
    ['deaf for a lease', (c) => c.call('CLIENT', 'PAUSE', '1500', 'ALL'), () => Promise.resolve()],
    ['that cuts every connection', (c) => c.client('KILL', 'TYPE', 'normal'), () => Promise.resolve()],
  ])('that is %s loses and doubles nothing, and the run ends when it is well again', async (_, begin, end) => {
    scene = await aScene(redis(), plan);
    await scene.crew.larry();
    const run = await beginRun(scene.coordination, plan);
    await eventually(() => expect(accepted()).toBeGreaterThan(10), 20_000);
    const operator = await redis().client({ check: false });
    await begin(operator.commands);
    const since = Date.now();
    await eventually(() => expect(Date.now() - since).toBeGreaterThan(1500), 5000);
    await end(operator.commands);
    const ended = await runEnd(scene.coordination, run);
    expect(statuses(ended)).toMatchObject({ 'effects-1': 'completed', 'effects-2': 'completed' });
    expect(scene.counts(run)).toEqual({ expected: 2 * effects, once: 2 * effects, doubled: [], missing: [] });
    for (const { id } of scene.tasks) expect((await resultOf(scene.coordination, id)).criteria).toMatchObject([{ verdict: 'met' }]);
  });
});
