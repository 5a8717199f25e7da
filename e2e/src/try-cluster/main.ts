import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Report } from './report';
import type { TrialOptions } from './steps';
import { openTarget, type Target } from './target';
import { tryCluster } from './trial';

const help = `Usage: scripts/try-cluster [options]

Tries Larry on a cluster with the real helm and kubectl, and takes everything out again:
  install → a run with a coordinator killed, a Job deleted, a node drained, an image slowed → upgrade → rollback → uninstall,
then compares every object of every listable kind with what was there before, by uid.

The cluster is the one that KUBECONFIG names; without KUBECONFIG it is the simulation, started for this.

  --yes                do it, on a cluster that KUBECONFIG names; without it this only says what it would do
  --images PREFIX      where the images are, as scripts/images --repository has it; needed where KUBECONFIG is set
  --redis-url URL      a Redis that the cluster reaches; or
  --redis-image IMAGE  a small one of the trial's own
  --mode auto          let larry-01 repair what it may in namespace database (default: observe, which changes nothing)
  --pull-seconds N     in the simulation: how long the image of larry-02 takes (default: 180)
  --lease-ms N         length of leases (default: 30000)
  --in-network         this terminal reaches the addresses of pods: the API is asked there, without kubectl port-forward
  --json FILE          what was seen, as JSON
  --help

Exit codes: 0 as it should be, with what this cluster cannot show named · 1 something was not, or was left behind · 2 wrong words, or refused`;

const words = {
  yes: { type: 'boolean' },
  images: { type: 'string' },
  'redis-url': { type: 'string' },
  'redis-image': { type: 'string' },
  mode: { type: 'string', default: 'observe' },
  'pull-seconds': { type: 'string', default: '180' },
  'lease-ms': { type: 'string', default: '30000' },
  'in-network': { type: 'boolean', default: false },
  json: { type: 'string' },
  help: { type: 'boolean' },
} as const;

class Refused extends Error {}

type Words = ReturnType<typeof parsed>;

function parsed() {
  try {
    return parseArgs({ options: words }).values;
  } catch (error) {
    throw new Refused(`${(error as Error).message.split('. ')[0]}; --help says what there is`);
  }
}

function wholeNumber(name: 'pull-seconds' | 'lease-ms', given: Words): number {
  const value = Number(given[name]);
  if (!Number.isInteger(value) || value < 0) throw new Refused(`--${name} must be a whole number, not ${JSON.stringify(given[name])}`);
  return value;
}

function optionsOf(given: Words, target: Target | undefined): TrialOptions {
  const { mode } = given;
  if (mode !== 'observe' && mode !== 'auto') throw new Refused(`--mode must be observe or auto, not ${JSON.stringify(mode)}`);
  const images = given.images ?? (target?.simulation ? 'localhost/larry' : undefined);
  if (images === undefined) throw new Refused('give --images PREFIX: where the nodes of this cluster find the images (scripts/images builds them)');
  const redisUrl = given['redis-url'] ?? target?.simulation?.redisUrl;
  const redisImage = given['redis-image'];
  if (redisUrl === undefined && redisImage === undefined) throw new Refused('give --redis-url URL, or --redis-image IMAGE for one of the trial\'s own');
  return { images, mode, inNetwork: given['in-network'] || target?.simulation !== undefined, pullSeconds: wholeNumber('pull-seconds', given), leaseTtlMs: wholeNumber('lease-ms', given), ...(redisUrl ? { redisUrl } : {}), ...(redisImage ? { redisImage } : {}) };
}

function planned(target: Target, { images, mode, redisUrl, redisImage }: TrialOptions): string {
  const { name, simulated } = target.cluster.source;
  return `On ${name}${simulated ? ' (SIMULATED)' : ''} this will
  install    larry-01, larry-02, larry-03 and meta-coordinator, each in the namespace of its name (larry install --images ${images} ${redisUrl ? '--redis-url-file …' : `--redis-image ${redisImage}`})
  run        one run in mode ${mode}; kill a coordinator of Larry's, delete a Job of Larry's, drain one node of Larry's workers (no other pods) and uncordon it
  change     scale, upgrade and roll back each release
  remove     everything of Larry's (larry uninstall), and compare the whole cluster with before
`;
}

async function main(): Promise<number> {
  const given = parsed();
  if (given.help) return void process.stdout.write(`${help}\n`), 0;
  const kubeconfig = process.env['KUBECONFIG'] || undefined;
  if (kubeconfig) optionsOf(given, undefined);
  const target = await openTarget(kubeconfig);
  try {
    const options = optionsOf(given, target);
    process.stdout.write(planned(target, options));
    if (!target.simulation && !given.yes) throw new Refused('nothing was done: add --yes to do it');
    const report = new Report((line) => process.stdout.write(`${line}\n`));
    await tryCluster(target, options, report);
    if (given.json) writeFileSync(given.json, `${JSON.stringify({ cluster: target.cluster.source, steps: report.steps }, null, 2)}\n`);
    process.stdout.write(report.failed ? 'Not all was as it should be.\n' : 'All was as it should be.\n');
    return report.failed ? 1 : 0;
  } finally {
    await target.end();
  }
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`try-cluster: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof Refused ? 2 : 1;
  },
);
