import type { Command } from 'commander';
import { examples } from './run-address';
import { sourceOptions } from './source-options';

/** `larry diagnose` and what it takes. */
export function diagnoseCommand(program: Command): void {
  sourceOptions(program.command('diagnose'))
    .description('Names the root cause of what does not run, with the evidence, what follows from it, and the exact change. Reads only.')
    .option('--namespace <name>', 'only this namespace, and what reaches into it')
    .option('--probes <file>', 'results of active probes (default: probes.json of the snapshot or dump)')
    .option('--git <dir>', 'a working clone of the repository that manifests come from: shows the change as a diff (default: $LARRY_GIT_REPOSITORY)')
    .option('--all', 'show every root cause, not the first ten')
    .option('--json', 'print the root causes as a JSON array, best first')
    .option('--markdown [file]', 'write Markdown (to standard output without a file)')
    .option('--explain [file]', 'show the causal graph as text; with a file also as SVG')
    .addHelpText('after', `${examples('larry diagnose', 'larry diagnose --dump ./dump --json', 'larry diagnose --snapshot ./snap --explain causes.svg')}\n\nExit codes: 0 diagnosed, whatever was found · 2 wrong words or input · 3 cluster out of reach · 4 nothing found, and not everything could be read`)
    .action(async (options) => (await import('../commands/diagnose.js')).diagnose(options));
}
