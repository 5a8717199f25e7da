import { readTrustedRunDocument } from '@larry/coordinator';
import type { Plan, RunSummary } from '@larry/contracts';
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Coordination } from '@larry/coordination';

/** What a run is about: its plan, and its mode as far as we know it. */
export interface KnownRun {
  plan?: Plan;
  /** As it was signed when the run began; `unknown` where what lies in Redis is not signed by us: it may be somebody else's. */
  mode: RunSummary['mode'];
}

/** Reads a run's document. Without a key to verify it by, `mode` in Redis is all there is, and is taken as it stands. */
export async function readKnownRun(coordination: Coordination, run: string, mode: string, approvalKey: KeyObject | undefined): Promise<KnownRun> {
  const publicKey = approvalKey && createPublicKey(approvalKey);
  const read = await readTrustedRunDocument(coordination, run, publicKey);
  if (publicKey === undefined) return { plan: read?.document.plan, mode: mode as KnownRun['mode'] };
  return { plan: read?.document.plan, mode: read?.trusted ? read.document.mode : 'unknown' };
}
