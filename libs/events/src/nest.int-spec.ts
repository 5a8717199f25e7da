import 'reflect-metadata';
import { spawn, spawnSync } from 'node:child_process';
import { Controller, Logger, type INestApplication } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import type { LarryEvent } from '@larry/contracts';
import type { RedisClient } from '@larry/redis';
import { eventually, testRedis, testTopologies, type TestRedis } from '@larry/redis/testing';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { EventClient } from './nest-client';
import { EventContext, EventServer } from './nest-server';

Logger.overrideLogger(false);

const got: { handler: string; event: LarryEvent; channel: string }[] = [];
const note = (handler: string, event: LarryEvent, context: EventContext) => got.push({ handler, event, channel: context.getChannel() });

@Controller()
class Handlers {
  @EventPattern('task_complete')
  complete(@Payload() event: LarryEvent, @Ctx() context: EventContext): void {
    note('complete', event, context);
  }

  @EventPattern('critical_cve')
  cve(@Payload() event: LarryEvent, @Ctx() context: EventContext): void {
    note('cve', event, context);
  }

  @EventPattern('progress_update')
  progress(@Payload() event: LarryEvent, @Ctx() context: EventContext): void {
    note('progress', event, context);
  }

  @EventPattern('task_failed')
  failing(@Payload() event: LarryEvent, @Ctx() context: EventContext): void {
    note('failing', event, context);
    throw new Error('this handler is broken');
  }
}

@Controller()
class SecondHandlers {
  @EventPattern('task_complete')
  complete(@Payload() event: LarryEvent, @Ctx() context: EventContext): void {
    note('second', event, context);
  }
}

@Controller()
class Misspelt {
  @EventPattern('task_completed')
  never(): void {}
}

@Controller()
class Answering {
  @MessagePattern('task_complete')
  never(): string {
    return '';
  }
}

const logged: Record<string, unknown>[] = [];
const log = { warn: (fields: Record<string, unknown>) => void logged.push(fields) };

async function start(client: RedisClient, controllers: (new () => object)[]): Promise<{ app: INestApplication; listening: Promise<unknown> }> {
  const app = (await Test.createTestingModule({ controllers }).compile()).createNestApplication();
  app.connectMicroservice({ strategy: new EventServer({ redis: client, log }) });
  return { app, listening: app.startAllMicroservices() };
}

const complete = { id: 't/1/task_complete', from: 'larry-01', event: 'task_complete', timestamp: '2026-11-22T00:00:00.000Z', run: 'r1', task_id: 't' };

testTopologies('the Nest transport', (redis) => {
  let client: RedisClient;
  let app: INestApplication;
  beforeEach(async () => {
    got.length = 0;
    client = await redis().client();
    const started = await start(client, [Handlers, SecondHandlers]);
    app = started.app;
    await started.listening;
  });
  afterEach(() => app.close());
  const raw = (channel: string, value: unknown) => client.commands.publish(client.prefix + channel, JSON.stringify(value));

  it('gives each event to every handler of its name, whole, its data included', async () => {
    const cve = { ...complete, id: 'c', event: 'critical_cve', severity: 'critical', data: { cve_id: 'CVE-1', cvss: 9, affected_service: 's', namespace: 'n', recommendation: 'r' } };
    await raw('larry:coordination', complete);
    await raw('larry:alerts', cve);
    await eventually(() => expect(got).toHaveLength(3));
    expect(got).toContainEqual({ handler: 'complete', event: complete, channel: 'larry:coordination' });
    expect(got).toContainEqual({ handler: 'second', event: complete, channel: 'larry:coordination' });
    expect(got).toContainEqual({ handler: 'cve', event: cve, channel: 'larry:alerts' });
  });

  it('emits the same plain JSON, and answers with the entry of the stream', async () => {
    const messages: string[] = [];
    await client.subscriber().subscribe(['larry:coordination'], (_channel, text) => messages.push(text));
    const events = new EventClient(client);
    const { event: name, timestamp: _, ...own } = complete;
    expect(await firstValueFrom(events.emit<string>(name, own))).toMatch(/^\d+-\d+$/);
    await eventually(() => expect(got.map((g) => g.handler).sort()).toEqual(['complete', 'second']));
    await eventually(() => expect(messages.map((m) => JSON.parse(m) as unknown)).toEqual([{ ...complete, timestamp: expect.any(String) }]));
    await expect(lastValueFrom(events.send('task_complete', {}))).rejects.toThrow('carry events only');
    await expect(lastValueFrom(events.emit('task_complete', { id: 'x' }))).rejects.toThrow('cannot be published');
  });

  it('goes on after a handler that fails, after rubbish and after events without a handler', async () => {
    await raw('larry:coordination', { ...complete, id: 'f', event: 'task_failed' });
    await raw('larry:coordination', { ...complete, id: 's', event: 'task_skipped' });
    await client.commands.publish(`${client.prefix}larry:coordination`, '{"pattern":"task_complete","data":1}');
    await raw('larry:coordination', complete);
    // A Cluster's nodes keep no order among each other.
    await eventually(() => expect(got.map((g) => g.handler).sort()).toEqual(['complete', 'failing', 'second']));
  });
});

describe('the Nest transport and redis-cli', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  const cli = spawnSync('redis-cli', ['--version']).status === 0;
  const itWithCli = cli ? it : it.skip; // skipped: there is no redis-cli on PATH

  itWithCli('understand each other: PUBLISH reaches the handlers, SUBSCRIBE shows plain JSON', async () => {
    got.length = 0;
    const client = await redis.client({ prefix: '' });
    const { app, listening } = await start(client, [Handlers]);
    await listening;
    const address = ['-u', redis.url];
    const subscriber = spawn('redis-cli', [...address, 'SUBSCRIBE', 'larry:coordination'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let shown = '';
    subscriber.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    try {
      await eventually(() => expect(shown).toContain('subscribe'));
      const typed = '{"from":"larry-02","progress":50,"message":"2/4 workers done"}';
      expect(spawnSync('redis-cli', [...address, 'PUBLISH', 'larry:coordination', JSON.stringify(complete)]).stdout.toString()).toContain('2');
      spawnSync('redis-cli', [...address, 'PUBLISH', 'larry:coordination', typed]);
      await eventually(() => expect(got.map((g) => g.handler)).toEqual(['complete', 'progress']));
      expect(got[0]?.event).toEqual(complete);
      expect(got[1]?.event).toMatchObject({ from: 'larry-02', progress: 50 });
      const { event: name, timestamp: _, ...own } = complete;
      await firstValueFrom(new EventClient(client).emit(name, { ...own, id: 'emitted' }));
      await eventually(() => expect(shown).toContain('emitted'));
      const line = shown.split('\n').find((l) => l.includes('emitted')) ?? '';
      expect(JSON.parse(line)).toMatchObject({ id: 'emitted', event: 'task_complete', task_id: 't' });
    } finally {
      subscriber.kill();
      await app.close();
    }
  });

  it.each([
    [Misspelt, 'a handler waits for "task_completed", which is no event'],
    [Answering, 'a handler answers messages "task_complete"'],
  ])('does not start with a handler that would never be called: %p', async (controller, message) => {
    const { app, listening } = await start(await redis.client(), [controller]);
    await expect(listening).rejects.toThrow(message);
    await app.close();
  });
});
