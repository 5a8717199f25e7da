// A worker that starts and then works until it is ended; its second attempt completes at once.
const { Coordination } = require('@larry/coordination');
const { connectRedis } = require('@larry/redis');

async function main() {
  const { REDIS_URL: url, LARRY_PREFIX: prefix, LARRY_RUN: run, LARRY_TASK: task, LARRY_CLAIM: claim, BENCH_TTL_MS: ttl } = process.env;
  process.stdin.once('end', () => process.exit(1)).resume();
  const redis = await connectRedis({ url, prefix });
  await new Coordination(redis).leases.using({ run, task, claim }, { ttlMs: Number(ttl) }, async (lease) => {
    if (lease.attempt === 1) await new Promise(() => undefined);
    return { outcome: 'completed' };
  });
  process.exit(0);
}
void main();
