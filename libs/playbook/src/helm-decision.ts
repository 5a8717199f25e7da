import { canonicalJson, describeRef, printable } from '@larry/contracts';
import { earlierAttempt, type Judgement } from './decision';
import type { Hands, Step } from './engine';
import { upgradeState } from './helm-release-state';
import type { PlaybookContext } from './playbook';

/** @internal {@link judge} for an upgrade of a Helm release: rights, `helm upgrade --dry-run=server`, and that it renders what was planned. */
export async function judgeUpgrade(context: PlaybookContext, hands: Hands, step: Step, wordOf: () => Judgement): Promise<Judgement> {
  const { change, report } = step;
  const { helm: upgrade, target } = change;
  const no = (outcome: 'refused' | 'superseded' | 'unverified-no-patch-right', reason: string): Judgement => {
    Object.assign(report, { outcome, reason });
    return 'no';
  };
  if (!hands.helm || !upgrade) return no('refused', 'there is no helm to upgrade the release with');
  const reading = await hands.helm.read(upgrade.namespace, upgrade.release, context.signal);
  if ('unreadable' in reading) return no('refused', reading.unreadable);
  if (upgradeState(reading.release, report.id) === 'in-effect') return { who: earlierAttempt };
  const record = { apiVersion: 'v1', kind: reading.release.driver === 'secret' ? 'Secret' : 'ConfigMap', namespace: upgrade.namespace, name: '' };
  if (!(await hands.writer.may('patch', target))) return no('unverified-no-patch-right', `unverified: no patch right on ${describeRef(target)}`);
  if (!(await hands.writer.may('create', record))) return no('unverified-no-patch-right', `unverified: no right to create ${record.kind}s in ${upgrade.namespace}, in which Helm keeps its releases`);
  const dry = await hands.helm.dryRun(upgrade, { id: report.id, signal: context.signal });
  if ('failed' in dry) return no('refused', `helm upgrade --dry-run=server: ${printable(dry.failed, 500)}`);
  const asPlanned = canonicalJson(dry.rendered) === canonicalJson(upgrade.rendered);
  return asPlanned ? wordOf() : no('superseded', 'helm upgrade --dry-run=server would change something else than the values did when they were tried');
}
