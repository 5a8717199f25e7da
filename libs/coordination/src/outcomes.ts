/** What a negative code of a script means. The scripts' headers say the same in a sentence. */
export const refusals = {
  [-1]: 'no-run',
  [-2]: 'not-ready',
  [-3]: 'held',
  [-4]: 'waiting',
  [-5]: 'stale',
  [-6]: 'ended',
  [-7]: 'unknown-task',
  [-8]: 'started',
  [-9]: 'not-parked',
  [-10]: 'other-run',
  [-11]: 'other-worker',
  [-12]: 'other-larry',
  [-13]: 'decided-otherwise',
  [-14]: 'no-intent',
} as const;

/** Why a transition was refused. `stale`: the lease or claim is somebody else's now. */
export type Refusal = (typeof refusals)[keyof typeof refusals];

/** A script's reply: the values after a code of 0 (done before) or 1, or why not, with the values that came along. */
export type Reply =
  | { readonly ok: true; readonly repeated: boolean; readonly values: readonly unknown[] }
  | { readonly ok: false; readonly refusal: Refusal; readonly values: readonly unknown[] };

/** Reads a script's reply; throws on a code that no header names. */
export function readReply(script: string, reply: unknown): Reply {
  const [code, ...values] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (code === 1 || code === 0) return { ok: true, repeated: code === 0, values };
  const refusal = (refusals as Record<number, Refusal>)[Number(code)];
  if (!refusal) throw new Error(`script "${script}" answered ${JSON.stringify(reply)}`);
  return { ok: false, refusal, values };
}

/** A refused transition. `detail` is the other run, the other decision, or the moment (ms) to wait for. */
export interface Refused<R extends Refusal = Refusal> {
  readonly outcome: 'refused';
  readonly why: R;
  readonly detail?: string;
}

export function refused(reply: Extract<Reply, { ok: false }>): Refused {
  const [detail] = reply.values;
  return { outcome: 'refused', why: reply.refusal, ...(detail === undefined ? {} : { detail: String(detail) }) };
}
