import { InvalidArgumentError, type Command } from 'commander';
import { examples, runAddress, stateFolder } from './run-address';

/** The commands that look at a run, and act on it, while it goes on. */
export function duringRun(program: Command): void {
  looking(program);
  deciding(program);
  locking(program);
  logging(program);
}

function looking(program: Command): void {
  runAddress(program.command('status'))
    .description('Every Larry and task of the run, findings, tokens and what waits for you, once.')
    .option('--json', 'the whole status as JSON')
    .addHelpText('after', `${examples('larry status', "larry status --json | jq -r '.tasks[] | select(.status==\"in_progress\").task'")}\n\nExit codes: 0 fine · 1 the run has failed · 3 no run or no answer`)
    .action(async (options) => (await import('../commands/status.js')).status(options));
  runAddress(program.command('dashboard'))
    .description('The run live in a terminal until it is complete: progress, tasks, findings, inventory, tokens, approvals, events. Without a terminal: a line per event.')
    .addHelpText('after', `${examples('larry dashboard', 'larry dashboard --api http://127.0.0.1:8080', 'NO_COLOR=1 larry dashboard')}\n\nCtrl-C leaves it and gives the terminal back; the run goes on.`)
    .action(async (options) => (await import('../commands/dashboard.js')).dashboard(options));
  runAddress(program.command('events'))
    .description('What happened in the run, a line each, and what goes on happening until it is complete.')
    .option('--no-follow', 'stop at what has happened so far')
    .option('--follow', 'go on until the run is complete (the default)')
    .option('--since <id>', 'start, now, or the cursor of an event: what came after it', 'start')
    .option('--json', 'one JSON object a line; its cursor is what --since takes')
    .option('--kafka', 'read a run back from Kafka alone (KAFKA_BROKERS and its like; docs/events.md); needs --run')
    .option('--run <id>', 'with --kafka: which run')
    .addHelpText('after', examples('larry events', 'larry events --no-follow --json | jq -r .event | sort | uniq -c', 'larry events --since now'))
    .action(async (options) => {
      if (options.kafka) return (await import('../commands/events-from-kafka.js')).eventsFromKafka(options);
      return (await import('../commands/events.js')).events(options);
    });
}

function deciding(program: Command): void {
  runAddress(program.command('approve'))
    .argument('[digest]', 'the beginning of the digest, 8 digits or more: of one change, or of all that a task waits with; without it, what waits is listed')
    .description('Shows a change that waits, with its diff, asks, and lets the run make it. Signed with your name, and in the audit log. Where the changes of a task are decided one by one, it goes on once each has a verdict.')
    .option('--yes', 'do not ask')
    .option('--json', 'for programs')
    .addHelpText('after', examples('larry approve', 'larry approve 37e02466b644', 'larry approve 37e02466b644 --yes'))
    .action(async (digest: string | undefined, options) => (await import('../commands/approve.js')).approve(digest, options));
  runAddress(program.command('deny'))
    .argument('<digest>', 'the beginning of the digest, 8 digits or more: of one change, or of all that a task waits with')
    .description('Refuses a change that waits; a task of which all are refused ends as skipped(denied). What the task has changed before for the same object is taken back.')
    .option('--yes', 'do not ask')
    .option('--json', 'for programs')
    .addHelpText('after', examples('larry deny 37e02466b644'))
    .action(async (digest: string, options) => (await import('../commands/approve.js')).deny(digest, options));
  runAddress(program.command('abort'))
    .description('Ends the run: active tasks end as skipped(aborted), workers stop at their next renewal.')
    .addHelpText('after', examples('larry abort', 'larry abort --api http://127.0.0.1:8080'))
    .action(async (options) => (await import('../commands/abort.js')).abort(options));
  runAddress(program.command('reset'))
    .description("Aborts the run, waits for its leases, and removes Larry's own keys from Redis, by name. Asks first.")
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('larry reset', 'larry reset --yes'))
    .action(async (options) => (await import('../commands/abort.js')).reset(options));
}

function locking(program: Command): void {
  stateFolder(program.command('locks'))
    .description("The tasks' locks (task:lock:…) in Redis: who holds each, until when, and which are foreign to the run. Reads keys by name, no SCAN.")
    .option('--plan <file>', 'whose tasks to look at when Redis holds no run (default: plans/3-larry.yaml)')
    .option('--json', 'for programs')
    .addHelpText('after', `${examples('larry locks', 'REDIS_URL=redis://redis.redis-ha:6379 larry locks --json')}\n\nREDIS_URL names the Redis, LARRY_PREFIX its prefix; by default those of the run under --state.`)
    .action(async (options) => (await import('../commands/locks.js')).listLocks(options));
  stateFolder(program.command('unlock'))
    .argument('<task>', 'the task whose lock is stuck')
    .description('Deletes the lock of a task, as DEL task:lock:<task> does; says what that leads to, and asks.')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('larry unlock fix-pgadmin-crashloop', 'larry unlock fix-pgadmin-crashloop --yes'))
    .action(async (task: string, options) => (await import('../commands/locks.js')).unlock(task, options));
}

function logging(program: Command): void {
  stateFolder(program.command('logs'))
    .argument('[name]', 'larry-01, meta-coordinator, simulated-cluster, a worker or a task; without it, which logs there are')
    .description('The logs of a run on this machine.')
    .option('-f, --follow', 'go on with what is appended, until Ctrl-C')
    .option('-n, --lines <n>', 'how many of the last lines', wholeLines, 200)
    .option('--raw', 'the lines as they were written')
    .option('--plan <file>', 'the plan that says which worker does a task (default: plans/3-larry.yaml)')
    .addHelpText('after', examples('larry logs', 'larry logs larry-01 --follow', 'larry logs fix-pgadmin-crashloop -n 20'))
    .action(async (name: string | undefined, options) => (await import('../commands/logs.js')).logs(name, options));
}

function wholeLines(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number, 1 or more');
  return value;
}
