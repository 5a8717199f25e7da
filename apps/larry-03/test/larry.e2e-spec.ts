import { startLarryForTest, type LarryUnderTest } from '@larry/coordinator/testing';
import { eventually } from '@larry/redis/testing';
import request from 'supertest';
import { larry } from '../src/larry';

const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 80}]}\n';

describe('larry-03', () => {
  let under: LarryUnderTest;
  beforeAll(async () => {
    under = await startLarryForTest(larry, { package: '@larry/playbooks-development', name: 'developmentPlaybooks' }, manifest);
  });
  afterAll(() => under.stop());

  it('is ready once Redis and its source answer', async () => {
    expect((await request(under.url).get('/readyz')).body).toEqual({ status: 'ok', checks: { redis: 'ok', cluster: 'ok' } });
  });

  it('counts assets, and has no key for a figure that no task has reported', async () => {
    const { redis } = under;
    const { tasks } = await under.run([{ id: 'catalog-deployments' }, { id: 'review-prs' }]);
    expect(tasks.find((t) => t.task === 'catalog-deployments')?.status).toBe('completed');
    expect(tasks.find((t) => t.task === 'review-prs')).toMatchObject({ status: 'skipped', skipReason: 'not-built' });
    await eventually(async () => expect(Number(await redis.commands.get(redis.key('phase:larry-03:inventory:assets_discovered')))).toBeGreaterThanOrEqual(2));
    expect(await redis.commands.exists(redis.key('phase:larry-03:development:prs_created'))).toBe(0);
    // One of two tasks did work: skipped work is no progress.
    await eventually(async () => expect(await redis.commands.get(redis.key('phase:larry-03:progress'))).toBe('50'));
  }, 90_000);
});
