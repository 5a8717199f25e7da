import { Inject, Injectable } from '@nestjs/common';
import { signApproval } from '@larry/audit';
import { printable, type ApprovalView, type ChangeText } from '@larry/contracts';
import { ProblemException } from '../http/problem';
import { PARTS, type MetaParts } from '../parts';
import type { KeyObject } from 'node:crypto';
import { unfitting } from './approval-text';
import type { Decision } from './run-requests';
import { RunsService } from './runs.service';

/** Answer of `POST /approvals/:digest`. */
export interface DecidedApproval {
  run: string;
  task: string;
  digest: string;
  decision: Decision['decision'];
  who: string;
  /** Where changes are decided one by one: the digests that were decided now. */
  changes?: string[];
  /** And how many still wait before the task goes on. */
  open?: number;
}

/** Decides what waits for a person: signed with the key outside Redis, and in the audit log before anything follows from it. */
@Injectable()
export class ApprovalsService {
  constructor(
    @Inject(PARTS) private readonly parts: MetaParts,
    @Inject(RunsService) private readonly runs: RunsService,
  ) {}

  /** @throws ProblemException 404, 409 where the prefix means none or several, it was decided otherwise, or what is shown does not fit the digest; 503 without a key */
  async decide(prefix: string, { decision }: Decision, who: string): Promise<DecidedApproval> {
    const { approvalKey, audit, coordination } = this.parts;
    if (!approvalKey) throw new ProblemException(503, 'there is no key to sign approvals with: start the meta-coordinator with LARRY_APPROVAL_PRIVATE_KEY');
    const { run } = await this.runs.snapshot();
    const { view, single } = oneOf(await this.runs.approvals(), prefix);
    const { task, digest, asks } = view;
    if (!asks) throw new ProblemException(409, `task ${printable(task, 100)}: ${unfitting}`);
    if (asks.changes) return this.decideApart(run.run, view, single ? [single] : asks.changes.filter((c) => !c.verdict), decision, who, approvalKey);
    const signed = signApproval({ run: run.run, task, digest, granted: decision === 'granted', who, at: new Date().toISOString() }, approvalKey);
    const entry = { actor: `user:${who}`, run: run.run, task, digest };
    await audit.append({ ...entry, action: decision === 'granted' ? 'approval_granted' : 'approval_denied', details: { signature: signed.signature, diff: asks.diff } });
    const outcome = await coordination.decide({ run: run.run, task, digest, decision, who, proof: JSON.stringify(signed) });
    if (outcome.outcome === 'refused') return this.notTaken([{ ...entry, signature: signed.signature }], outcome.why);
    return { run: run.run, task, digest, decision, who };
  }

  /** Each change gets a verdict and a line in the log of its own, whether it was named or all that still wait. */
  private async decideApart(run: string, { task, digest, asks }: ApprovalView, chosen: readonly ChangeText[], decision: Decision['decision'], who: string, approvalKey: KeyObject): Promise<DecidedApproval> {
    const { audit, coordination } = this.parts;
    const granted = decision === 'granted';
    if (chosen.length === 0 || chosen.some(({ verdict }) => verdict && verdict.granted !== granted)) throw new ProblemException(409, `the decision was not taken: ${notTaken['decided-otherwise'] ?? ''}`);
    const at = new Date().toISOString();
    const changes: { digest: string; proof: string; signature: string }[] = [];
    for (const change of chosen) {
      const signed = signApproval({ run, task, digest: change.digest, granted, who, at }, approvalKey);
      const details = { signature: signed.signature, diff: change.diff };
      await audit.append({ actor: `user:${who}`, run, task, digest: change.digest, action: granted ? 'approval_granted' : 'approval_denied', details });
      changes.push({ digest: change.digest, proof: JSON.stringify(signed), signature: signed.signature });
    }
    const outcome = await coordination.decideChanges({ run, task, digest, decision, who, changes: changes.map(({ digest: single, proof }) => ({ digest: single, proof })) });
    const decided = changes.map((c) => c.digest);
    if (outcome.outcome === 'refused') return this.notTaken(changes.map((c) => ({ actor: `user:${who}`, run, task, digest: c.digest, signature: c.signature })), outcome.why);
    const open = (asks?.changes ?? []).filter((c) => !c.verdict && !decided.includes(c.digest)).length;
    return { run, task, digest: chosen.length === 1 ? (decided[0] ?? digest) : digest, decision, who, changes: decided, open };
  }

  /** The signature says which word it was: a denial in the log stands against every grant. */
  private async notTaken(words: readonly { actor: string; run: string; task: string; digest: string; signature: string }[], why: string): Promise<never> {
    for (const { signature, ...entry } of words) await this.parts.audit.append({ ...entry, action: 'approval_not_taken', details: { why, signature } });
    throw new ProblemException(409, `the decision was not taken: ${notTaken[why] ?? why}`);
  }
}

const notTaken: Partial<Record<string, string>> = {
  'decided-otherwise': 'somebody decided otherwise before',
  'not-parked': 'the task does not wait for this digest any more: what was observed has changed',
  ended: 'the task has ended',
  'no-run': 'the run is over',
};

/** What waits with a digest that begins so: all of a task, or a single change of it. */
interface Waiting {
  digest: string;
  view: ApprovalView;
  single?: ChangeText;
}

function oneOf(views: readonly ApprovalView[], prefix: string): Waiting {
  const open = views.flatMap((view): Waiting[] => [{ digest: view.digest, view }, ...(view.asks?.changes ?? []).filter((c) => c.digest !== view.digest).map((single) => ({ digest: single.digest, view, single }))]);
  const found = open.filter(({ digest }) => digest.startsWith(prefix));
  const [first] = found;
  if (!first) throw new ProblemException(404, `nothing waits for an approval with a digest that begins with ${prefix}`, { open: open.map((o) => o.digest) });
  if (found.length > 1) throw new ProblemException(409, `${found.length} digests begin with ${prefix}: give more digits`, { open: found.map((o) => o.digest) });
  return first;
}
