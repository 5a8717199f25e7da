import { startLarryForTest, type LarryUnderTest } from '@larry/coordinator/testing';
import { eventually } from '@larry/redis/testing';
import request from 'supertest';
import { larry } from '../src/larry';

const manifest = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "nginx:1.27"}]}}}\n';

describe('larry-01', () => {
  let under: LarryUnderTest;
  beforeAll(async () => {
    under = await startLarryForTest(larry, { package: '@larry/playbooks-infrastructure', name: 'infrastructurePlaybooks' }, manifest);
  });
  afterAll(() => under.stop());

  it('is healthy and ready once Redis and its source answer', async () => {
    expect((await request(under.url).get('/healthz')).status).toBe(200);
    expect((await request(under.url).get('/readyz')).body).toEqual({ status: 'ok', checks: { redis: 'ok', cluster: 'ok' } });
    expect((await request(under.url).get('/metrics')).text).toContain('larry_workers_active{larry_id="larry-01"} 0');
  });

  it('leads the workers of its own domain through its phase, and shows it under the names of the quick start', async () => {
    const { tasks } = await under.run([{ id: 'fix-pgadmin-crashloop' }, { id: 'consolidate-postgresql', needs: ['fix-pgadmin-crashloop'] }, { id: 'catalog-deployments' }]);
    const status = (id: string) => tasks.find((t) => t.task === id)?.status;
    // Files have no state, so that nothing can be said of what runs; another Larry's task is not its own to do.
    expect(status('fix-pgadmin-crashloop')).toMatch(/completed|skipped/);
    expect(status('consolidate-postgresql')).toBe('skipped');
    expect(await under.coordination.task('catalog-deployments')).toMatchObject({ status: 'failed', reason: 'larry-01 has no playbook "catalog-deployments"' });
    const { redis } = under;
    await eventually(async () => {
      expect(await redis.commands.get(redis.key('phase:larry-01:status'))).toBe('failed');
      expect(await redis.commands.hget(redis.key('phase:larry-01:metrics'), 'workers_active')).toBe('0');
    });
  }, 90_000);
});
