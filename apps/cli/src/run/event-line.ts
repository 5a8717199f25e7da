import { channelOf, eventNames, printable, recordOf, type EventName } from '@larry/contracts';
import { typedCommand, type TypedAddress } from '../program/typed-command';
import type { StreamedEvent } from './api-client';

/** An event as it came from the stream. */
export type EventLine = StreamedEvent;

/** True for events of the channel `larry:alerts`. */
export function isAlert({ event }: EventLine): boolean {
  return (eventNames as string[]).includes(event.event) && channelOf(event.event as EventName) === 'larry:alerts';
}

/** `12:03:04 larry-01 task_complete fix-pgadmin-crashloop`: one event on one line, safe to print. Times are UTC. `address`: how commands find the run. */
export function eventLine(item: EventLine, address: TypedAddress = {}): string {
  const { event } = item;
  const time = /T(\d\d:\d\d:\d\d)/.exec(String(event['timestamp'] ?? ''))?.[1] ?? '--:--:--';
  const from = printable(String(event['from'] ?? ''), 40).padEnd(8);
  return `${time} ${from} ${printable(event.event, 40).padEnd(17)} ${printable(detailOf(event, address), 600)}`.trimEnd();
}

function detailOf(event: EventLine['event'], address: TypedAddress): string {
  const alert = recordOf(event['data']);
  const severity = event['severity'] === undefined ? [] : [`${said(event['severity'])}:`];
  const parts = [
    ...severity,
    ...(event['progress'] === undefined ? [] : [`${said(event['progress'])} %`]),
    ...[event['task_id'] ?? alert['task_id'], event['message']].filter((v) => v !== undefined).map(said),
    ...attempt(event['attempt']),
    ...(event['reason'] === undefined ? [] : [`(${said(event['reason'])})`]),
    ...(event['digest'] === undefined ? [] : [event.event === 'approval_requested' ? waiting(event, address) : said(event['digest']).slice(0, 12)]),
    ...(event['who'] === undefined ? [] : [`by ${said(event['who'])}`]),
    ...(event['owner'] === undefined ? [] : [`held by ${said(event['owner'])}`]),
    ...steps(event['steps']),
    ...counts(event['summary']),
    ...endState(event['state']),
    ...dataOf(event.event, alert),
  ];
  return parts.join(' ');
}

function waiting(event: EventLine['event'], address: TypedAddress): string {
  const run = event['run'] === undefined ? '' : `of ${said(event['run'])} `;
  return `${run}waits for you: ${typedCommand(`approve ${said(event['digest']).slice(0, 12)}`, address)}`;
}

/** The first attempt goes without saying. */
function attempt(value: unknown): string[] {
  return typeof value === 'number' && value > 1 ? [`attempt ${value}`] : [];
}

/** `observe 120 ms, diagnose 3 ms`. */
function steps(value: unknown): string[] {
  const each = Array.isArray(value) ? value.map(recordOf) : [];
  return each.length === 0 ? [] : [each.map(({ step, took_ms: took, target }) => [said(step), ...(target === undefined ? [] : [said(target)]), `${Math.round(Number(took))} ms`].join(' ')).join(', ')];
}

/** The counters of a phase that has ended. */
function counts(summary: unknown): string[] {
  const entries = Object.entries(recordOf(summary)).filter(([name, value]) => typeof value === 'number' && (value > 0 || name === 'completed'));
  return entries.length === 0 ? [] : [entries.map(([name, value]) => `${said(value)} ${name}`).join(', ')];
}

function endState(state: unknown): string[] {
  const { status } = recordOf(state);
  return status === undefined ? [] : [said(status)];
}

function dataOf(name: string, data: Record<string, unknown>): string[] {
  if (name === 'critical_cve') return [`${said(data['cve_id'])} CVSS ${said(data['cvss'])} in ${said(data['namespace'])}/${said(data['affected_service'])}`];
  if (name === 'validation_result') {
    if (data['problem'] !== undefined) return [`not looked at: ${said(data['problem'])}`];
    const turned = Array.isArray(data['turned']) ? data['turned'] : [];
    const verdicts = Object.entries(recordOf(data['verdicts'])).map(([verdict, count]) => `${said(count)} ${said(verdict)}`);
    return [turned.length === 0 ? ['as it was claimed', ...verdicts].join(', ') : `turned: ${turned.map(said).join(', ')}`];
  }
  const { task_id: _, ...rest } = data;
  return Object.entries(rest).map(([field, value]) => `${field} ${said(value)}`);
}

const said = (value: unknown): string => printable(value, 200);
