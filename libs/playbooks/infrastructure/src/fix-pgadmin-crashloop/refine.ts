import { refineHelmRemedies } from '@larry/helm';
import type { Diagnosis, PlaybookContext } from '@larry/playbook';
import type { Facts } from './facts';
import type { Options } from './options';

/** Finds the chart values behind what Helm releases own: the diagnosis stays pure, and this starts `helm template` where there is one. */
export async function refine(context: PlaybookContext<Options>, facts: Facts, diagnosis: Diagnosis): Promise<Diagnosis> {
  if (!facts.cluster.runtime || !context.helm || context.cluster.source.type !== 'live') return diagnosis;
  return { ...diagnosis, findings: await refineHelmRemedies(context.cluster, context.helm, diagnosis.findings, (finding) => finding.object, context.signal) };
}
