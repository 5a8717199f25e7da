import type { ClientContext } from '../../controller';
import { pathOf, kinds } from '../../kinds';
import type { Pod } from '../../types';

interface Held {
  token: string;
}
interface TokenAnswer {
  status: { token: string; expirationTimestamp: string };
}

/** The service-account tokens of one pod, bound to it and asked for anew when four fifths of their time are over, as a kubelet does. */
export class AccountTokens {
  private readonly held = new Map<string, Held | 'asked'>();
  private readonly timers = new Set<() => void>();
  private stopped = false;

  constructor(
    private readonly context: ClientContext,
    /** A token came, or changed. */
    private readonly changed: () => void,
  ) {}

  /** The token, or undefined while it is being asked for. */
  get(pod: Pod, { audience, expirationSeconds = 3600 }: { audience?: string; expirationSeconds?: number }): string | undefined {
    const key = `${audience ?? ''} ${expirationSeconds}`;
    const known = this.held.get(key);
    if (known && known !== 'asked') return known.token;
    if (!known) {
      this.held.set(key, 'asked');
      void this.ask(key, pod, audience, expirationSeconds);
    }
    return undefined;
  }

  stop(): void {
    this.stopped = true;
    for (const cancel of this.timers) cancel();
  }

  private async ask(key: string, pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<void> {
    const { api, clock, log } = this.context;
    const end = this.context.activity.begin();
    const again = (ms: number) => this.after(ms, () => void this.ask(key, pod, audience, expirationSeconds));
    try {
      const answer = await api.request<TokenAnswer>('POST', pathOf(kinds.serviceAccounts, pod.metadata.namespace, pod.spec.serviceAccountName ?? 'default', 'token'), {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { ...(audience ? { audiences: [audience] } : {}), expirationSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid } },
      });
      this.held.set(key, { token: answer.status.token });
      again((Date.parse(answer.status.expirationTimestamp) - clock.now().getTime()) * 0.8);
    } catch (error) {
      log({ pod: pod.metadata.name, error: String(error) }, 'no service-account token, will ask again');
      again(2_000);
    }
    if (!this.stopped) this.changed();
    end();
  }

  private after(ms: number, fn: () => void): void {
    if (this.stopped) return;
    const cancel = this.context.clock.setTimer(ms, () => {
      this.timers.delete(cancel);
      fn();
    });
    this.timers.add(cancel);
  }
}
