import type { ApprovalRecord } from '@larry/audit';
import { describeRef, printable, type ApprovalText, type ChangeText } from '@larry/contracts';
import { approvalRequestSchema, digestOfRequest, requestDiff, singleChanges, type SingleChange } from '@larry/playbook';

/** Shown and answered where somebody else has written into Redis, or a worker of another version. */
export const unfitting = 'what stands in Redis does not fit its digest: it cannot be approved, and nothing of it is shown';

/** The text of a parked request, with the signed verdicts on single changes, or why there is none: Redis is not believed, the digest is made anew. Pure. */
export function approvalText(digest: string, request: unknown, verdicts: readonly ApprovalRecord[] = []): { asks: ApprovalText } | { problem: string } {
  const parsed = approvalRequestSchema.safeParse(request);
  if (!parsed.success || digestOf(parsed.data) !== digest) return { problem: unfitting };
  const { changes } = parsed.data;
  return {
    asks: {
      summary: printable(changes.map((c) => c.change.summary).join('; '), 500),
      objects: [...new Set(changes.map((c) => printable(describeRef(c.change.target), 300)))],
      diff: requestDiff(parsed.data),
      ...(parsed.data.apart ? { changes: singleChanges(parsed.data).map((single) => changeText(single, verdicts)) } : {}),
    },
  };
}

function changeText({ digest, requested: { change }, diff }: SingleChange, verdicts: readonly ApprovalRecord[]): ChangeText {
  const verdict = verdicts.find((v) => v.digest === digest);
  return {
    digest,
    summary: printable(change.summary, 500),
    object: printable(describeRef(change.target), 300),
    diff,
    ...(verdict ? { verdict: { granted: verdict.granted, who: printable(verdict.who, 200) } } : {}),
  };
}

function digestOf(request: Parameters<typeof digestOfRequest>[0]): string | undefined {
  try {
    return digestOfRequest(request);
  } catch {
    return undefined;
  }
}
