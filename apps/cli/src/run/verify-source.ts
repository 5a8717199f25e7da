import { printable, type RunSummary } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { runningStack } from '../local/local-stack';
import { typedCommand } from '../program/typed-command';
import { openSource, type SourceOptions } from '../sources';
import { exitCodes, UserError } from '../user-error';

/** Where the reported source is looked for. */
export interface VerifySource extends SourceOptions {
  state: string;
}

type Open = (options: SourceOptions) => Promise<ClusterReader>;

/** The source that the report speaks of, and no other: another cluster would turn every claim. @throws UserError when it is not at hand. */
export async function openReported({ source }: RunSummary, options: VerifySource, open: Open = openSource): Promise<ClusterReader> {
  const given = [options.manifests, options.snapshot, options.dump, options.kubeconfig, options.context].some(Boolean);
  if (!given && source.simulated && source.type === 'live') return openSimulation(source, options, open);
  const cluster = await open(given ? options : source.type === 'live' ? {} : { [source.type]: source.name });
  const seen = cluster.source;
  if (seen.simulated === source.simulated && (given || seen.name === source.name)) return cluster;
  await cluster.close();
  throw new UserError(`the report speaks of ${sourceWords(source)}, and this is ${sourceWords(seen)}; name the source with --kubeconfig, --context or its folder`);
}

/** The simulation of the run that keeps it, else the one that KUBECONFIG names. */
async function openSimulation(source: RunSummary['source'], options: VerifySource, open: Open): Promise<ClusterReader> {
  const kubeconfig = runningStack(options.state)?.kubeconfig;
  if (!kubeconfig && !process.env['KUBECONFIG']) throw gone(options, 'KUBECONFIG is not set');
  const cluster = await open(kubeconfig ? { kubeconfig } : {}).catch((error: unknown) => {
    throw gone(options, error instanceof Error ? error.message : String(error));
  });
  if (!cluster.source.simulated) {
    await cluster.close();
    throw gone(options, `KUBECONFIG names ${sourceWords(cluster.source)}`);
  }
  if (cluster.source.name !== source.name) process.stderr.write(`larry: this is the simulation ${printable(cluster.source.name, 200)}, and the report speaks of ${printable(source.name, 200)}: where they are two, what turned may be the difference\n`);
  return cluster;
}

function gone(options: VerifySource, why: string): UserError {
  return new UserError(
    `the report speaks of a SIMULATED cluster, which is not at hand (${printable(why, 500)}); where it is up still, give --kubeconfig; what needs no cluster: ${typedCommand('report', options)} (what was claimed, with its observations) and ${typedCommand('audit verify', options)} (every change and approval); a run with --simulated --keep keeps its cluster for verify`,
    exitCodes.unreachable,
  );
}

const sourceWords = ({ simulated, type, name }: Pick<RunSummary['source'], 'simulated' | 'type' | 'name'>): string => (simulated ? 'the SIMULATED cluster' : `${type} ${printable(name, 200)}`);
