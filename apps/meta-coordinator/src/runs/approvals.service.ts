import { Inject, Injectable } from '@nestjs/common';
import { signApproval } from '@larry/audit';
import { printable, type ApprovalView } from '@larry/contracts';
import { ProblemException } from '../http/problem';
import { PARTS, type MetaParts } from '../parts';
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
    const { task, digest, asks } = oneOf(await this.runs.approvals(), prefix);
    if (!asks) throw new ProblemException(409, `task ${printable(task, 100)}: ${unfitting}`);
    const signed = signApproval({ run: run.run, task, digest, granted: decision === 'granted', who, at: new Date().toISOString() }, approvalKey);
    const entry = { actor: `user:${who}`, run: run.run, task, digest };
    await audit.append({ ...entry, action: decision === 'granted' ? 'approval_granted' : 'approval_denied', details: { signature: signed.signature, diff: asks.diff } });
    const outcome = await coordination.decide({ run: run.run, task, digest, decision, who, proof: JSON.stringify(signed) });
    if (outcome.outcome === 'refused') {
      await audit.append({ ...entry, action: 'approval_not_taken', details: { why: outcome.why } });
      throw new ProblemException(409, `the decision was not taken: ${notTaken[outcome.why] ?? outcome.why}`);
    }
    return { run: run.run, task, digest, decision, who };
  }
}

const notTaken: Partial<Record<string, string>> = {
  'decided-otherwise': 'somebody decided otherwise before',
  'not-parked': 'the task does not wait for this digest any more: what was observed has changed',
  ended: 'the task has ended',
  'no-run': 'the run is over',
};

function oneOf(open: readonly ApprovalView[], prefix: string): ApprovalView {
  const found = open.filter(({ digest }) => digest.startsWith(prefix));
  const [first] = found;
  if (!first) throw new ProblemException(404, `nothing waits for an approval with a digest that begins with ${prefix}`, { open: open.map((o) => o.digest) });
  if (found.length > 1) throw new ProblemException(409, `${found.length} digests begin with ${prefix}: give more digits`, { open: found.map((o) => o.digest) });
  return first;
}
