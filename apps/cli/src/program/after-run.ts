import { Option, type Command } from 'commander';
import { sourceOptions } from './source-options';
import { examples, runAddress, stateFolder } from './run-address';

/** The commands for what a run leaves: its reports, its claims, its audit log; and the surroundings it needs. */
export function afterRun(program: Command): void {
  reporting(program);
  verifying(program);
  doctoring(program);
  supporting(program);
}

function reporting(program: Command): void {
  runAddress(program.command('report'))
    .description('The summary of the run, or of the last one kept under --state, as Markdown; with --output all reports as files.')
    .option('--output <dir>', 'write larry-01-final.json …, 3-LARRY-EXECUTION-SUMMARY.json, .md and .html there, all or none')
    .option('--json', 'print the summary as JSON')
    .option('--html', 'print the summary as one HTML page')
    .addHelpText('after', `${examples('larry report', 'larry report --output /coordination/reports', 'larry report --json | jq .didWork')}\n\nExit codes: 0 the run completed · 1 it failed · 2 it has no summary yet, or the folder cannot be written · 3 no run found`)
    .action(async (options) => (await import('../commands/report.js')).report(options));
  program
    .command('aggregate')
    .description("Makes the summary again from the Larrys' reports, without a cluster and without Redis.")
    .option('--larry-01-report <file>', 'larry-01-final.json')
    .option('--larry-02-report <file>', 'larry-02-final.json')
    .option('--larry-03-report <file>', 'larry-03-final.json')
    .addOption(new Option('--report <file>', 'any Larry\'s report; may be given several times').argParser((file: string, before: string[] = []) => [...before, file]))
    .requiredOption('--output <file>', 'the summary: .md, .html or .json')
    .addHelpText(
      'after',
      `${examples('larry aggregate --larry-01-report r/larry-01-final.json --larry-02-report r/larry-02-final.json --larry-03-report r/larry-03-final.json --output r/3-LARRY-EXECUTION-SUMMARY.md', 'larry aggregate --report a.json --report b.json --output summary.html')}\n\nWhat needs the cluster is not done again: claims are not looked at anew, and of the cross-checks only those are made that the reports alone can answer. The summary says so.`,
    )
    .action(async (options) => (await import('../commands/aggregate.js')).aggregate(options));
}

function verifying(program: Command): void {
  sourceOptions(stateFolder(program.command('verify')))
    .description("Looks anew at what the last run's report claimed, reading only; closes what was provisional.")
    .option('--report <file>', 'the summary to verify (default: reports/3-LARRY-EXECUTION-SUMMARY.json under --state)')
    .option('--git <dir>', 'the working clone in which branches were made: says whether they are merged (default: $LARRY_GIT_REPOSITORY)')
    .option('--plan <file>', "the plan of that run, for its tasks' options (default: plans/3-larry.yaml)")
    .option('--json', 'print the validations as JSON')
    .addHelpText('after', `${examples('larry verify', 'larry verify --report /coordination/reports/3-LARRY-EXECUTION-SUMMARY.json', 'larry verify --kubeconfig ./prod.yaml --json')}\n\nExit codes: 0 every claim holds · 1 a claim has turned · 2 wrong words or input · 3 cluster out of reach · 4 something could not be looked at`)
    .action(async (options) => (await import('../commands/verify.js')).verify(options));
  const audit = program
    .command('audit')
    .description('The log of every change and approval.')
    .addHelpText('after', examples('larry audit verify', 'larry audit verify .larry/audit.jsonl'));
  stateFolder(audit.command('verify'))
    .argument('[file]', 'the log (default: audit.jsonl under --state)')
    .description('Checks the chain of hashes from the first record on: edited, removed, inserted or cut records are found.')
    .option('--expect-head <seq:hash>', 'the end as known from elsewhere; without it a cut tail cannot be seen')
    .option('--json', 'for programs')
    .addHelpText('after', `${examples('larry audit verify', 'larry audit verify /var/log/larry/audit.jsonl --json')}\n\nExit codes: 0 intact · 1 not as it was written · 2 wrong words, or no such file`)
    .action(async (file: string | undefined, options) => (await import('../commands/audit.js')).verifyAuditLog(file, options));
}

function doctoring(program: Command): void {
  stateFolder(program.command('doctor'))
    .description('Whether this machine, Redis and the cluster have what Larry needs; each line says what to do.')
    .option('--redis <url>', 'the Redis to look at (default: REDIS_URL, or that of the run under --state)')
    .option('--kubeconfig <file>', 'the cluster to look at (default: $KUBECONFIG, ~/.kube/config, or the pod it runs in)')
    .option('--context <name>', 'a context of the kubeconfig')
    .option('--rights', 'also ask the cluster which of the changes it may make (SelfSubjectAccessReview, which is a POST)')
    .option('--json', 'for programs')
    .addHelpText('after', `${examples('larry doctor', 'larry doctor --rights', 'larry doctor --redis redis://redis.redis-ha:6379')}\n\nExit codes: 0 nothing fails · 1 something fails (warnings and what could not be looked at do not count)`)
    .action(async (options) => (await import('../commands/doctor.js')).doctor(options));
}

function supporting(program: Command): void {
  runAddress(program.command('support-bundle'))
    .description('One file for whoever helps you: versions, what the doctor sees, settings, state, leases, events, logs, metrics. Secrets are left out or struck out; it says what is not in it. Reads only.')
    .option('--output <file>', 'a file that is not there yet (default: larry-support-<time>.tar.gz)')
    .option('--run <id>', 'only of this run (default: the one that Redis holds)')
    .option('--kubeconfig <file>', 'the cluster that Larry runs in (default: that of the run, $KUBECONFIG, ~/.kube/config)')
    .option('--context <name>', 'a context of the kubeconfig')
    .option('--json', 'print what is in it and what is not as JSON')
    .addHelpText('after', `${examples('larry support-bundle', 'larry support-bundle --output /tmp/for-support.tar.gz', 'REDIS_URL=redis://redis.redis-ha:6379 larry support-bundle --context prod --api http://127.0.0.1:8080')}\n\nWhat cannot be had is named with its reason, and the rest is written. manifest.json in it lists every file with its SHA-256.`)
    .action(async (options) => (await import('../commands/support-bundle.js')).supportBundle(options));
}
