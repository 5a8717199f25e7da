import { createHmac } from 'node:crypto';
import { printable, type LarryEvent } from '@larry/contracts';
import type { EventLog } from '../guard';
import type { MirroredEvent, MirrorSink } from './mirror';

/** How a webhook is called. */
export interface WebhookSettings {
  /** `https://…`, or `http://` on loopback. May hold a secret: it is never shown. */
  readonly url: URL;
  /** `json`: the event as it is. `slack`: `{"text": …}`, which Slack, Mattermost and their like show. */
  readonly format: 'json' | 'slack';
  /** Signs the body: header `X-Larry-Signature: sha256=<HMAC-SHA256, hex>`. */
  readonly secret?: string;
}

const timeoutMs = 10_000;
/** Bad request, too large, of the wrong type, not understood: the same event would be refused again. */
const refusals = new Set([400, 413, 415, 422]);

/** Approvals that are asked for, alerts, and the end of a run: what people want to be told. */
export function isNews({ channel, event }: MirroredEvent): boolean {
  return channel === 'larry:alerts' || event.event === 'approval_requested' || event.event === 'run_complete';
}

/** One POST for each piece of news, in order; the header `X-Larry-Event-Id` is the same when it is sent again. */
export class WebhookSink implements MirrorSink {
  readonly name = 'webhook';
  /** Confirmed, so that a failure further on in a page repeats nothing. */
  private confirmed = '';

  constructor(
    private readonly settings: WebhookSettings,
    private readonly log: EventLog,
  ) {}

  async deliver(events: readonly MirroredEvent[], signal: AbortSignal): Promise<void> {
    const news = events.filter(isNews);
    const next = news.findIndex((item) => item.cursor === this.confirmed) + 1;
    for (const item of news.slice(next)) {
      await this.post(item, signal);
      this.confirmed = item.cursor;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private async post({ event, json }: MirroredEvent, signal: AbortSignal): Promise<void> {
    const { url, format, secret } = this.settings;
    const body = format === 'slack' ? JSON.stringify({ text: newsText(event) }) : json;
    const headers: Record<string, string> = { 'content-type': 'application/json', 'x-larry-event-id': `${event.run}/${event.id}` };
    if (secret) headers['x-larry-signature'] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) }).catch((error: Error) => {
      throw new Error(`the webhook at ${url.host} cannot be reached: ${(error.cause as Error | undefined)?.message ?? error.message}`);
    });
    await answer.body?.cancel();
    if (answer.ok) return;
    // Of this event the other side will never have it otherwise; of the rest of the statuses an operator can mend the cause.
    if (!refusals.has(answer.status)) throw new Error(`the webhook at ${url.host} answered ${answer.status}: check LARRY_WEBHOOK_URL`);
    this.log.warn({ event: event.id, run: event.run, status: answer.status }, 'the webhook refuses this event; it is not sent again (check LARRY_WEBHOOK_FORMAT)');
  }
}

/** One line for people; whatever an event brings from outside is shown as text. */
export function newsText(event: LarryEvent): string {
  const own = event as LarryEvent & { task_id?: string; digest?: string; reason?: string; severity?: string; data?: Record<string, unknown>; state?: { status?: string } };
  const detail = own.reason ?? own.data?.['recommendation'] ?? own.data?.['error'] ?? own.state?.status ?? '';
  const task = own.task_id ?? own.data?.['task_id'];
  const what = [own.severity ? `[${own.severity}]` : '', event.from, event.event.replaceAll('_', ' '), task ? `(${String(task)})` : ''].filter(Boolean).join(' ');
  const line = printable(detail ? `${what}: ${String(detail)}` : what, 500);
  const approve = event.event === 'approval_requested' && own.digest ? ` — to allow it: larry approve ${printable(own.digest, 100)}` : '';
  // Slack's own marks (<, >, &) would make links and mentions of text that came from a cluster.
  return `${line}${approve} · run ${printable(event.run, 100)}`.replace(/[&<>]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;'));
}
