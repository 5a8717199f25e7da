// Reserve and settle of the token ledger, every caller on the same tree.
import { aRunSpec, aRunTask, Coordination, TokenLedger } from '../libraries.mjs';
import { byCallers, interleaved, perSecond, rate, timed, times } from '../measure.mjs';

const callerCounts = [1, 32, 1000];
const roundTrips = 2;

export async function ledger({ redis, quick }) {
  const total = quick ? 1000 : 5000;
  const contenders = Object.fromEntries(
    callerCounts.flatMap((callers) => [
      [`ping${callers}`, () => roundTripRate(redis, callers, total)],
      [`ours${callers}`, () => pairRate(redis, callers, total)],
    ]),
  );
  const rates = await interleaved(quick ? 2 : 5, contenders);
  const rows = callerCounts.map((callers) => ({
    what: `${callers} caller${callers === 1 ? '' : 's'}: reserve+settle`,
    measured: rate(rates[`ours${callers}`]),
    note: `2 round trips: ${times((rates[`ours${callers}`] * roundTrips) / rates[`ping${callers}`])} of a plain GET's rate (${rate(rates[`ping${callers}`])})`,
  }));
  return { title: 'Token ledger, 3 levels, 48 leaves', rows };
}

async function roundTripRate(redis, callers, total) {
  const client = await redis.client();
  const took = await timed(() => byCallers(callers, total, () => client.commands.get('bench')));
  await client.close();
  return perSecond(total, took);
}

async function pairRate(redis, callers, total) {
  const client = await redis.client();
  const spec = aRunSpec([aRunTask({ id: 't' })]);
  await new Coordination(client).createRun(spec);
  const book = new TokenLedger(client, { run: spec.run });
  await book.open(tree());
  const took = await timed(() =>
    byCallers(callers, total, async (i) => {
      const id = `r${i}`;
      const node = `l${i % 3}/w${i % 16}`;
      const granted = await book.reserve({ node, id, tokens: 10, ttlMs: 60_000 });
      if (granted.outcome !== 'granted') throw new Error(`bench: not granted: ${JSON.stringify(granted)}`);
      await book.settle({ id, used: 7 });
    }),
  );
  const [all] = await book.usage();
  if (all.used !== total * 7 || all.held !== 0) throw new Error(`bench: the ledger says ${JSON.stringify(all)}`);
  await client.close();
  return perSecond(total, took);
}

function tree() {
  const leaf = 1_000_000;
  const larry = (l) => ({ id: `l${l}`, limit: 16 * leaf, children: Array.from({ length: 16 }, (_, w) => ({ id: `l${l}/w${w}`, limit: leaf })) });
  return { id: 'run', limit: 48 * leaf, children: [0, 1, 2].map(larry) };
}
