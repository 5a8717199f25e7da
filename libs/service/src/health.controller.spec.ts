import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Gauge } from 'prom-client';
import request from 'supertest';
import { createMetrics, type ReadinessCheck } from './health.controller';
import { ServiceModule } from './service.module';

const apps: INestApplication[] = [];
afterAll(async () => {
  await Promise.all(apps.map((a) => a.close()));
});

const fine: ReadinessCheck = { name: 'redis', check: async () => undefined };

async function served(...checks: ReadinessCheck[]) {
  const metrics = createMetrics({ larry_id: 'larry-01' });
  new Gauge({ name: 'larry_workers_active', help: 'h', registers: [metrics] }).set(3);
  const module = await Test.createTestingModule({ imports: [ServiceModule.forRoot({ checks, metrics })] }).compile();
  const app = module.createNestApplication({ logger: false });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  return request(app.getHttpServer());
}

describe('HealthController', () => {
  it('is healthy while its event loop runs, whatever Redis does', async () => {
    const http = await served({ name: 'redis', check: () => Promise.reject(new Error('gone')) });
    const { status, body } = await http.get('/healthz');
    expect([status, body.status]).toEqual([200, 'ok']);
  });

  it('is ready when every check answers', async () => {
    const { status, body } = await (await served(fine)).get('/readyz');
    expect([status, body]).toEqual([200, { status: 'ok', checks: { redis: 'ok' } }]);
  });

  it('is not ready while one check fails, and says which and why', async () => {
    const http = await served(fine, { name: 'cluster', check: () => Promise.reject(new Error('connection refused')) }, {
      name: 'careless',
      check: () => {
        throw new Error('thrown at once');
      },
    });
    const { status, body } = await http.get('/readyz');
    expect([status, body]).toEqual([503, { status: 'not ready', checks: { redis: 'ok', cluster: 'connection refused', careless: 'thrown at once' } }]);
  });

  it('never hangs on a check that hangs, and does not ask it again while it does', async () => {
    let asked = 0;
    const hang = { name: 'cluster', check: () => new Promise<void>(() => void (asked += 1)) };
    const http = await served(fine, hang);
    const [first, second] = await Promise.all([http.get('/readyz'), http.get('/readyz')]);
    expect([first.status, second.status]).toEqual([503, 503]);
    expect(first.body.checks).toEqual({ redis: 'ok', cluster: 'no answer within 2000 ms' });
    expect(asked).toBe(1);
  });

  it('asks anew once an answer has come', async () => {
    let up = false;
    const http = await served({ name: 'redis', check: async () => { if (!up) throw new Error('down'); } });
    expect((await http.get('/readyz')).status).toBe(503);
    up = true;
    expect((await http.get('/readyz')).status).toBe(200);
  });

  it('serves metrics in the text format of Prometheus, under its labels', async () => {
    const { status, text, headers } = await (await served(fine)).get('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain;(?=.*version=0\.0\.4)(?=.*charset=utf-8)/);
    expect(text).toContain('larry_workers_active{larry_id="larry-01"} 3');
    expect(text).toContain('process_resident_memory_bytes{larry_id="larry-01"}');
  });
});
