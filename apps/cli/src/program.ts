import { Command, InvalidArgumentError, Option } from 'commander';
import { afterRun } from './program/after-run';
import { diagnoseCommand } from './program/diagnose';
import { duringRun } from './program/during-run';
import { onCluster } from './program/on-cluster';
import { examples } from './program/run-address';
import { sourceOptions } from './program/source-options';
import { version } from './version';

/**
 * The `larry` command with all its subcommands. Each loads its code when it is called, so that `--help` is quick.
 * Parsing throws commander's `CommanderError`, after it has said what is wrong; see `main.ts`.
 */
export function buildProgram(): Command {
  const program = new Command('larry')
    .description('Autonomous operations crew for Kubernetes: three Larrys, sixteen workers, every claim with its observation.')
    .version(version)
    .showHelpAfterError('(add --help for what it takes)')
    .exitOverride()
    .addHelpText('after', helpEnd);
  runCommand(program);
  checkCommand(program);
  diagnoseCommand(program);
  snapshotCommand(program);
  playbookCommand(program);
  simCommand(program);
  duringRun(program);
  afterRun(program);
  onCluster(program);
  return program;
}

const helpEnd = `
Exit codes: 0 fine · 1 found what --fail-on names, or a run that failed · 2 wrong words or input · 3 cluster or Redis out of reach, closed or full · 4 incomplete · 130 stopped by Ctrl-C

Examples:
  larry run --simulated --mode auto   a whole run against a simulated cluster, in half a minute
  larry check                         what is wrong in the cluster of your kubeconfig; reads only
  larry check --manifests ./deploy    the same for files, with the line to change
  larry snapshot --output ./snap      everything listable into a folder, Secrets' values left out`;

/** What says how a run of this machine is set up: an installed one is. */
const localOnly = ['simulated', 'manifests', 'snapshot', 'dump', 'kubeconfig', 'context', 'git', 'replicas', 'redisPort', 'leaseTtl', 'keep'];

function runCommand(program: Command): void {
  sourceOptions(program.command('run'))
    .description('Does a whole run as processes of this machine: three Larrys, their workers, the summary. Reads only, unless --mode says otherwise. With --api: a run of the Larrys that are installed on a cluster.')
    .addOption(new Option('--api <url>', 'begin the run at this meta-coordinator and follow it; LARRY_TOKEN names who asks').conflicts(localOnly))
    .addOption(new Option('--simulated', 'against a simulated cluster that comes and goes with the run').conflicts(['manifests', 'snapshot', 'dump', 'kubeconfig', 'context']))
    .addOption(new Option('--mode <mode>', 'observe changes nothing, ask waits for larry approve, auto also makes the changes of --allow').choices(['observe', 'ask', 'auto']).default('observe'))
    .option('--allow <categories>', 'categories of change that auto may make, separated by commas', listOf, ['workload-env', 'workload-security-context'])
    .option('--git <dir>', 'a working clone of the repository that manifests come from: what they declare is shown as a diff; ask makes it a commit on a branch larry/… once approved, auto with --allow git-branch; nothing is pushed (default: $LARRY_GIT_REPOSITORY)')
    .option('--plan <file>', 'the plan (default: plans/3-larry.yaml)')
    .option('--state <dir>', 'where logs, keys, the audit log and reports are kept', '.larry')
    .option('--output <dir>', 'where the reports are written (default: reports under --state)')
    .option('--replicas <n>', 'copies of each Larry', atLeast(1), 1)
    .option('--redis-port <port>', 'port of the run\'s own Redis on 127.0.0.1 (default: a free one)', portNumber)
    .option('--lease-ttl <ms>', 'length of a lease, milliseconds, 300 or more', atLeast(300))
    .option('--lines', 'a line per event, also in a terminal')
    .option('--keep', 'leave everything up after the run, until Ctrl-C')
    .option('--json', 'print the summary as JSON and nothing else')
    .addHelpText('after', `${examples('larry run --simulated --mode auto', 'larry run --kubeconfig ~/.kube/config', 'larry run --snapshot ./snap --json | jq .didWork', 'larry run --api http://127.0.0.1:8080')}\n\nREDIS_URL is used when it is set; otherwise the run starts a Redis of its own and stops it at the end.\nExit codes: 0 completed · 1 a phase failed · 2 wrong words or input · 3 out of reach · 4 completed, and nothing could be read · 130 stopped by Ctrl-C: the run is aborted, and a partial report says what was done (with --api it goes on, and larry abort ends it)`)
    .action(async (options) => (await import('./commands/run.js')).run(options));
}

function listOf(text: string): string[] {
  return text.split(',').map((t) => t.trim()).filter(Boolean);
}

const exceptionsExample = `
A file for --exceptions (* and ? are wildcards; of kind, namespace and name, one is enough):
  - rule: pss-baseline/privileged
    object: { kind: DaemonSet, namespace: monitoring, name: "agent-*" }
    owner: platform team
    reason: it tunes the kernel of the node
    expires: "2027-01-31"`;

function checkCommand(program: Command): void {
  sourceOptions(program.command('check'))
    .description('Finds the few root causes that matter, with their evidence and the exact change. Reads only, installs nothing.')
    .option('--all', 'show every finding, not the first ten')
    .option('--json', 'print the whole report as JSON')
    .option('--sarif [file]', 'write SARIF 2.1.0 (to standard output without a file)')
    .option('--markdown [file]', 'write Markdown (to standard output without a file)')
    .option('--html <file>', 'write one self-contained HTML page')
    .addOption(new Option('--fail-on <severity>', 'exit 1 when there is a finding this bad').choices(['critical', 'high', 'medium', 'low', 'never']).default('never'))
    .addOption(new Option('--since <when>', 'say what is new since the last check of this source').choices(['last']))
    .option('--exceptions <file>', 'accepted findings, each with owner, reason and expiry (YAML)')
    .option('--plan <file>', 'the plan whose options the tasks use')
    .addHelpText('after', `${examples('larry check', 'larry check --manifests ./deploy --fail-on high', 'larry check --since last --html check.html')}\n${exceptionsExample}\n\nExit codes: 0 fine · 1 a finding as bad as --fail-on · 2 wrong words or input · 3 cluster out of reach · 4 a task could not finish, or nothing was read`)
    .action(async (options) => (await import('./commands/check.js')).check(options));
}

function snapshotCommand(program: Command): void {
  sourceOptions(program.command('snapshot'))
    .description('Writes every listable kind and the logs into a folder; values of Secrets are left out, their keys stay.')
    .requiredOption('--output <dir>', 'the folder to write')
    .option('--probe', 'also look which Services\' ports and kubelets answer, by GET through the API server (needs get on services/proxy and nodes/proxy), into probes.json')
    .option('--json', 'print the index as JSON')
    .addHelpText('after', `${examples('larry snapshot --output ./snap', 'larry snapshot --context prod --output ./prod --probe', 'larry check --snapshot ./snap')}\n\n--probe asks each TCP port of a Service that has ready endpoints for GET / once, and starts nothing in the cluster. At most 16 at a time, 35 s each.`)
    .action(async (options) => (await import('./commands/snapshot.js')).snapshot(options));
}

function playbookCommand(program: Command): void {
  const playbook = program.command('playbook').description('Runs and lists single playbooks, in one process, without Redis.').addHelpText('after', examples('larry playbook list', 'larry playbook run catalog-deployments'));
  playbook
    .command('list')
    .description('Every task with its playbook, or why it is not built yet.')
    .option('--json', 'for programs')
    .addHelpText('after', examples('larry playbook list', 'larry playbook list --json | jq .[].id'))
    .action(async (options) => (await import('./commands/playbook.js')).listPlaybooks(options));
  sourceOptions(playbook.command('run'))
    .argument('<task>', 'the id of a task, as `larry playbook list` shows it')
    .description('Runs one playbook, reading only, and prints its result.')
    .option('--json', 'print the whole result as JSON')
    .option('--plan <file>', 'the plan whose options the task uses')
    .addHelpText('after', examples('larry playbook run fix-pgadmin-crashloop', 'larry playbook run security-scan-group-01 --snapshot ./snap --json'))
    .action(async (task: string, options) => (await import('./commands/playbook.js')).runOne(task, options));
}

function simCommand(program: Command): void {
  program
    .command('sim')
    .description('A simulated cluster on this machine, for the real kubectl and helm.')
    .addHelpText('after', examples('larry sim up'))
    .command('up')
    .description('Serves "Larry & the Darryls" (3 masters, 4 workers), or what you name, until Ctrl-C.')
    .option('--port <port>', 'port on 127.0.0.1; 0 takes a free one', portNumber, 0)
    .addOption(new Option('--manifests <dir>', 'load a tree of manifests, with controllers').conflicts(['snapshot', 'dump']))
    .addOption(new Option('--snapshot <dir>', 'serve a snapshot, frozen').conflicts(['manifests', 'dump']))
    .addOption(new Option('--dump <dir>', 'serve a dump of kubectl cluster-info, frozen').conflicts(['manifests', 'snapshot']))
    .option('--speed <factor>', "how much faster than real time the cluster's time runs", positive, 1)
    .option('--kubeconfig <file>', 'where to write the kubeconfig', '.larry/sim/kubeconfig')
    .option('--programs', 'run pods of our own images (larry-01, meta-coordinator, …) as processes of this machine; the default unless --manifests is given')
    .option('--no-programs', 'run none')
    .addHelpText('after', examples('larry sim up', 'larry sim up --manifests ./deploy --speed 10', 'larry sim up --snapshot ./snap --port 6443'))
    .action(async (options) => (await import('./commands/sim.js')).simUp(options));
}

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = wholeNumber(text);
    if (value < least) throw new InvalidArgumentError(`must be ${least} or more`);
    return value;
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('must be a number above 0');
  return value;
}

function portNumber(text: string): number {
  const value = wholeNumber(text);
  if (value > 65535) throw new InvalidArgumentError('must be a port, 0 to 65535');
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number, 0 or more');
  return value;
}
