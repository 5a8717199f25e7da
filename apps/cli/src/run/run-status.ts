import type { ApprovalView } from '@larry/contracts';

/** Figures that a Larry's ended tasks reported, summed by name: `{ 'larry-02': { critical: 6 } }`. */
export type FiguresByLarry = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** An approval in a line: what is asked, or why it cannot be approved. Not safe for terminals. */
export function approvalSummary({ asks, problem }: ApprovalView): string {
  return asks?.summary || problem || 'nothing that could be approved is shown';
}
