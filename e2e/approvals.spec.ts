import { readApprovalKey, signApproval } from '@larry/audit';
import { eventually } from '@larry/redis/testing';
import { approvalKeys } from './src/approval-keys';
import { aPlan, aTask } from './src/plan';
import { namespace } from './src/playbooks';
import { beginRun, resultOf, runEnd } from './src/run';
import { aScene, redisForFile, type Scene } from './scene';

const redis = redisForFile();
let scene: Scene;
afterEach(() => scene.end());

/** What happens to a task that waits; libs/coordination races the scripts themselves 500 times. */
const fates = ['granted', 'denied', 'granted-and-killed', 'edited-then-granted', 'churned-then-granted', 'forged', 'both'] as const;
const tasks = Array.from({ length: 14 }, (_, i) => ({ id: `effects-${i + 1}`, fate: fates[i % fates.length]! }));

it('approvals, denials, edits and kills in a race: what is denied, forged or out of date is never applied, and status alone invalidates nothing', async () => {
  const plan = aPlan({ 'larry-01': tasks.map(({ id }) => aTask(id, { attempts: 5, with: { effects: 1, kinds: 'patch', deployments: 1, category: 'asks' } })) });
  const kills = tasks.filter((t) => t.fate === 'granted-and-killed').map(({ id }) => ({ task: id, point: 'request', action: 'kill', attempt: 2 }));
  // No lease is waited for, and none must lapse on a machine that is busy: the kills are meant for certain attempts.
  scene = await aScene(redis(), plan, { ttlMs: 8000, env: { TEST_FAULTS: JSON.stringify(kills), LARRY_MAX_WORKERS: '4' } });
  await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  await Promise.all(tasks.map(({ id, fate }) => meet(run, id, fate)));
  await runEnd(scene.coordination, run, 90_000);

  const applied = (id: string): number => scene.server.journal().filter((e) => e.manager === 'larry' && e.changed && e.change === `${run}/${id}/e000`).length;
  for (const { id, fate } of tasks) {
    const record = await scene.coordination.task(id);
    const allowed = fate === 'granted' || fate === 'granted-and-killed' || fate === 'churned-then-granted' || (fate === 'both' && record?.status === 'completed');
    expect([id, fate, applied(id), record?.status, record?.skipReason]).toEqual([id, fate, allowed ? 1 : 0, allowed ? 'completed' : 'skipped', allowed ? undefined : 'denied']);
    if (allowed) expect((await resultOf(scene.coordination, id)).changes).toMatchObject([{ outcome: 'verified' }]);
  }
  expect(scene.crew.faults()).toHaveLength(kills.length);
});

async function parked(task: string, not = ''): Promise<string> {
  return eventually(async () => {
    const record = await scene.coordination.task(task);
    if (!record?.parked || record.parked.digest === not) throw new Error(`${task} is ${record?.status}`);
    return record.parked.digest;
  }, 60_000);
}

async function decide(run: string, task: string, digest: string, granted: boolean, forged = false): Promise<void> {
  const signed = signApproval({ run, task, digest, granted, who: 'ann', at: new Date().toISOString() }, readApprovalKey(approvalKeys.privateKey, 'private'));
  const proof = JSON.stringify(forged ? { ...signed, approval: { ...signed.approval, who: 'mallory' } } : signed);
  await scene.coordination.decide({ run, task, digest, decision: granted ? 'granted' : 'denied', who: 'ann', proof });
}

async function meet(run: string, task: string, fate: (typeof fates)[number]): Promise<void> {
  const digest = await parked(task);
  switch (fate) {
    case 'granted':
    case 'granted-and-killed':
      return decide(run, task, digest, true);
    case 'denied':
      return decide(run, task, digest, false);
    case 'both':
      await Promise.all([decide(run, task, digest, true), decide(run, task, digest, false)]);
      return;
    case 'churned-then-granted':
      await patch(task, '/status', { status: { observedGeneration: 7 } });
      return decide(run, task, digest, true);
    case 'edited-then-granted':
      await patch(task, '', { spec: { template: { spec: { containers: [{ name: 'app', image: 'example.com/app:2.0' }] } } } });
      await decide(run, task, digest, true);
      return decide(run, task, await parked(task, digest), false);
    case 'forged':
      await decide(run, task, digest, true, true);
      // Not believed: it waits again, with the same digest, until somebody decides.
      await eventually(async () => expect((await scene.coordination.task(task))?.attempt).toBeGreaterThanOrEqual(2), 60_000);
      return decide(run, task, await parked(task), false);
  }
}

async function patch(task: string, subresource: string, body: object): Promise<void> {
  const url = `${scene.server.url}/apis/apps/v1/namespaces/${namespace}/deployments/counted-${task}-0${subresource}?fieldManager=ann`;
  const headers = { authorization: `Bearer ${scene.server.adminToken}`, 'content-type': 'application/strategic-merge-patch+json' };
  const response = await fetch(url, { method: 'PATCH', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
}
