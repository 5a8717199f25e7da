import { printable } from '@larry/contracts';
import { UnknownKindError } from '@larry/kube';
import { exitCodes, UserError } from '../user-error';

/** Installs on a cluster; what the account may not do becomes a sentence that names the right and what to do. */
export async function namingRights<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
    throw new UserError(
      `this account may not do what larry install needs (${error.kind}: ${printable(error.reason, 600)}): run it as an administrator of the cluster (--kubeconfig, --context), or have one give that right; kubectl auth can-i --list shows what an account may`,
      exitCodes.incomplete,
    );
  }
}
