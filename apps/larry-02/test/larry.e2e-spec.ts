import { startLarryForTest, type LarryUnderTest } from '@larry/coordinator/testing';
import { eventually } from '@larry/redis/testing';
import request from 'supertest';
import { larry } from '../src/larry';

const manifest = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "nginx:1.27", securityContext: {privileged: true}}]}}}\n';

describe('larry-02', () => {
  let under: LarryUnderTest;
  beforeAll(async () => {
    under = await startLarryForTest(larry, { package: '@larry/playbooks-security', name: 'securityPlaybooks' }, manifest);
  });
  afterAll(() => under.stop());

  it('is ready once Redis and its source answer', async () => {
    expect((await request(under.url).get('/readyz')).body).toEqual({ status: 'ok', checks: { redis: 'ok', cluster: 'ok' } });
  });

  it('shows no findings before a scan has reported, and then what it found', async () => {
    const { redis } = under;
    expect(await redis.commands.exists(redis.key('phase:larry-02:findings'))).toBe(0);
    const { tasks } = await under.run([{ id: 'security-scan-group-02', with: { namespaces: ['ai-agents'], others: true } }]);
    expect(tasks.find((t) => t.task === 'security-scan-group-02')?.status).toBe('completed');
    await eventually(async () => {
      const findings = await redis.commands.hgetall(redis.key('phase:larry-02:findings'));
      expect(Object.keys(findings).sort()).toEqual(['critical', 'high', 'low', 'medium']);
      expect(Number(findings['critical'])).toBeGreaterThan(0);
    });
  }, 90_000);
});
