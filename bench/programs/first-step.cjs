// A worker that says when its work begins, and has none.
const { Coordination } = require('@larry/coordination');
const { connectRedis } = require('@larry/redis');

async function main() {
  const { REDIS_URL: url, LARRY_PREFIX: prefix, LARRY_RUN: run, LARRY_TASK: task, LARRY_CLAIM: claim } = process.env;
  process.stdin.once('end', () => process.exit(1)).resume();
  const redis = await connectRedis({ url, prefix });
  await new Coordination(redis).leases.using({ run, task, claim }, { ttlMs: 30_000 }, async () => {
    await redis.commands.hset(redis.key('first-step'), task, String(Date.now()));
    return { outcome: 'completed' };
  });
  process.exit(0);
}
void main();
