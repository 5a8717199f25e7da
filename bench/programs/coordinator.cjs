// A Larry whose worker never starts: it holds its claim by renewing, until it is killed.
const { Coordination } = require('@larry/coordination');
const { LarryEngine } = require('@larry/coordinator');
const { connectRedis } = require('@larry/redis');

async function main() {
  const { REDIS_URL: url, LARRY_PREFIX: prefix, BENCH_TTL_MS: ttl } = process.env;
  process.stdin.once('end', () => process.exit(1)).resume();
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const launcher = {
    startLimitMs: 60_000,
    launch: async () => {
      process.stdout.write('launched\n');
      return { id: 'never', node: 'here', exited: new Promise(() => undefined), stop: async () => undefined };
    },
  };
  const redis = await connectRedis({ url, prefix });
  await new LarryEngine({ larry: 'larry-01', coordination: new Coordination(redis), launcher, log: silent, ttlMs: Number(ttl) }).start();
}
void main();
