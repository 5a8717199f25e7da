import { cuttingProxy, eventually, named, testRedis, type CuttingProxy, type TestRedis } from '../testing';

describe('the cutting proxy', () => {
  let redis: TestRedis;
  let proxy: CuttingProxy;
  beforeAll(async () => {
    redis = await testRedis();
    proxy = await cuttingProxy(redis.url);
  });
  afterAll(async () => {
    await redis.stop();
    await proxy.close();
  });

  it('loses the reply of the command it was told, after the server has executed it; the client sends it again', async () => {
    const client = await redis.client({ url: proxy.url });
    const cut = proxy.cut({ matches: named('INCR'), nth: 2 });
    expect(await client.commands.incr(client.key('n'))).toBe(1);
    expect(await client.commands.incr(client.key('n'))).toBe(3);
    await cut;
    expect(proxy.count(named('INCR'))).toBe(3);
  });

  it('cuts a request before the server sees it', async () => {
    const client = await redis.client({ url: proxy.url });
    const cut = proxy.cut({ matches: named('INCR'), what: 'request' });
    expect(await client.commands.incr(client.key('n'))).toBe(1);
    await cut;
  });

  it('holds everything back while paused', async () => {
    const client = await redis.client({ url: proxy.url });
    proxy.pause();
    let answered = false;
    const ping = client.commands.ping().then(() => (answered = true));
    await (await redis.client()).commands.ping();
    expect(answered).toBe(false);
    proxy.resume();
    await ping;
  });

  it('is survived by a client whose connections all drop', async () => {
    const client = await redis.client({ url: proxy.url });
    proxy.drop();
    await eventually(async () => expect(await client.commands.ping()).toBe('PONG'));
  });
});
