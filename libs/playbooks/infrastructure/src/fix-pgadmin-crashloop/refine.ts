import { printable, type Finding } from '@larry/contracts';
import { refineHelmRemedies } from '@larry/helm';
import { refineGitRemedies } from '@larry/kube';
import type { Diagnosis, PlaybookContext } from '@larry/playbook';
import type { Facts } from './facts';
import type { Options } from './options';
import { plannedFor } from './plan-change';

/** Finds the chart values and the manifests behind what is owned: the diagnosis stays pure, and this starts helm and git where there are some. */
export async function refine(context: PlaybookContext<Options>, facts: Facts, diagnosis: Diagnosis): Promise<Diagnosis> {
  return withManifests(context, facts.cluster.runtime ? await withValues(context, diagnosis) : diagnosis);
}

async function withValues({ cluster, helm, signal }: PlaybookContext<Options>, diagnosis: Diagnosis): Promise<Diagnosis> {
  if (!helm || cluster.source.type !== 'live') return diagnosis;
  return { ...diagnosis, findings: await refineHelmRemedies(cluster, helm, diagnosis.findings, objectOf, signal) };
}

async function withManifests({ cluster, git, signal }: PlaybookContext<Options>, diagnosis: Diagnosis): Promise<Diagnosis> {
  if (git === undefined) return diagnosis;
  try {
    const findings = await refineGitRemedies(cluster, git, diagnosis.findings, objectOf, signal);
    return { ...diagnosis, findings: findings.map(withRefusal) };
  } catch (error) {
    signal.throwIfAborted();
    const reason = printable(error instanceof Error ? error.message : String(error), 1000);
    return { ...diagnosis, unknowns: [...diagnosis.unknowns, { subject: 'the Git repository of the manifests', reason }] };
  }
}

/** A diff of which no branch is made says why. */
function withRefusal(finding: Finding): Finding {
  const { remedy } = finding;
  if (remedy.layer !== 'manifest' || !remedy.change) return finding;
  const planned = plannedFor(finding);
  return 'change' in planned ? finding : { ...finding, remedy: { ...remedy, note: printable(`${remedy.note ? `${remedy.note}; ` : ''}no branch: ${planned.refused}`, 1200) } };
}

const objectOf = ({ object }: Finding) => object;
