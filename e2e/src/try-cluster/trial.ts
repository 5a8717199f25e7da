import type { Commands } from './commands';
import { differences } from './inventory';
import { CannotShow, must, type Report } from './report';
import { abilitiesOf, install, look, uninstallAll, uninstallPlainly, upgradeAndBack, type Trial, type TrialOptions } from './steps';
import type { Target } from './target';
import { beginRun, jobsOnNodes, nothingTwice, reachApi, runEnd } from './trial-run';
import { deleteJob, drainNode, killCoordinator, mend, slowImage } from './trouble';

/** Install, a run with trouble, upgrade, rollback, uninstall; then nothing may be left. */
export async function tryCluster(target: Target, options: TrialOptions, report: Report): Promise<void> {
  const before = await report.step('inventory before', async () => {
    await refuseIfInstalled(target.commands);
    const value = await look(target);
    return { said: `${value.things.size} objects${value.unknown.length > 0 ? `; not listable: ${value.unknown.join('; ')}` : ''}`, value };
  });
  if (!before) return;
  const trial: Trial = { target, options, report, before, can: await abilitiesOf(target) };
  try {
    const token = await report.step('install', () => install(trial));
    if (token !== undefined) await runAndUpgrade(trial, token);
  } finally {
    await report.step('uninstall', () => uninstallAll(trial));
    await report.step('nothing is left behind', () => nothingLeft(trial));
  }
}

async function refuseIfInstalled(commands: Commands): Promise<void> {
  const found = await commands.larry('uninstall', '--dry-run');
  must(/Nothing of Larry's is in/.test(found), `Larry is in this cluster already, and this trial would remove it at its end:\n${found}`);
}

async function runAndUpgrade(trial: Trial, token: string): Promise<void> {
  const { report, target, can } = trial;
  if (can.runPods) await runInTrouble(trial, token);
  else await report.step('a run', () => Promise.reject(new CannotShow('no node of this cluster runs pods')));
  for (const chart of can.runPods ? ['larry-01', 'meta-coordinator'] : ['larry-01', 'larry-02', 'larry-03', 'meta-coordinator']) {
    await report.step(`scale, upgrade, roll back ${chart}`, () => upgradeAndBack(target, chart));
  }
  await report.step('helm uninstall takes the Jobs', () => uninstallPlainly(trial, 'larry-02'));
}

/** A run with a coordinator killed, a Job deleted, a node drained, an image slowed, and a release upgraded meanwhile. */
async function runInTrouble(trial: Trial, token: string): Promise<void> {
  const { report, target, options } = trial;
  const api = await report.step('reach the API', async () => {
    const value = await reachApi(target, options.inNetwork);
    return { said: value.url, value };
  });
  if (!api) return;
  await report.step('an image slowed', () => slowImage(target, options.pullSeconds));
  const run = await beginRun(trial, token, api.url);
  try {
    const [, , , drained] = await Promise.all([
      report.step('a coordinator killed', () => killCoordinator(target)),
      report.step('scale, upgrade, roll back larry-03 while the run goes on', () => upgradeAndBack(target, 'larry-03')),
      report.step('a Job deleted', () => deleteJob(target)),
      report.step('a node drained', () => drainNode(target, 'larry-02')),
    ]);
    const account = await report.step('the run ends', () => runEnd(run));
    if (account) {
      await report.step('Jobs on the nodes of the plan', () => jobsOnNodes(target, account, drained));
      await report.step('nothing is done twice', () => nothingTwice(target, run, account));
    }
    await report.step('Redis is cleaned', async () => ({ said: (await run.larry.larry('reset', '--api', api.url, '--yes')).trim().split('\n').at(-1) ?? '' }));
  } finally {
    run.going.stop();
    api.end();
    await mend(target);
  }
}

async function nothingLeft({ target, before, can }: Trial): Promise<{ said: string }> {
  const deadline = Date.now() + (can.collectGarbage ? 60_000 : 0);
  for (;;) {
    const after = await look(target);
    const { left, gone, changed, ofOthers } = differences(before, after);
    const others = `${ofOthers.length} new of owners that were there${changed.length > 0 ? `; changed: ${changed.join(', ')}` : ''}`;
    if (left.length + gone.length === 0) return { said: `${after.things.size} objects, by uid the same as before; ${others}` };
    if (Date.now() > deadline) throw new Error(`left behind: ${left.join(', ') || 'nothing'}; gone that was there: ${gone.join(', ') || 'nothing'}; ${others}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
