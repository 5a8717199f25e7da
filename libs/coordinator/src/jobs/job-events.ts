import { printable, type KubeObject } from '@larry/contracts';

/** Nothing runs in a pod while the last word about it is one of these (kubelet, `pkg/kubelet/events/event.go`; attach-detach controller). */
const setupFailures = new Set(['FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox']);
/** What follows once a pod's volumes and network are there. */
const setupDone = new Set(['SuccessfulAttachVolume', 'Pulling', 'Pulled', 'Created', 'Started']);

/** The last of these events in a sentence; '' without one. Pure. */
export function lastWarning(events: readonly KubeObject[]): string {
  const last = newest(events);
  return last ? sentenceOf(last) : '';
}

/**
 * What keeps a pod from being set up, by all events of that pod; '' where nothing does, or did once and is over. A mount
 * that fails is no news before its pod is scheduled, so that every such event is newer than that. Pure.
 */
export function setupObstacle(events: readonly KubeObject[]): string {
  const failure = newest(events.filter((event) => event['type'] === 'Warning' && setupFailures.has(String(event['reason']))));
  const done = newest(events.filter((event) => setupDone.has(String(event['reason']))));
  // Of the same second: it goes on. Where it does not, the kubelet says so again before the next look.
  if (!failure || (done && momentOf(done) >= momentOf(failure))) return '';
  return sentenceOf(failure);
}

/** The later one of equals is the one listed later. */
function newest(events: readonly KubeObject[]): KubeObject | undefined {
  return events.reduce<KubeObject | undefined>((last, event) => (last && momentOf(last) > momentOf(event) ? last : event), undefined);
}

/** When it was last seen, in ms. A repeated event keeps its first `eventTime`. */
function momentOf(event: KubeObject): number {
  const series = event['series'] as { lastObservedTime?: unknown } | null | undefined;
  const said = [event['lastTimestamp'], series?.lastObservedTime, event['eventTime'], event.metadata.creationTimestamp];
  return Math.max(0, ...said.map((at) => Date.parse(String(at ?? ''))).filter((ms) => !Number.isNaN(ms)));
}

function sentenceOf(event: KubeObject): string {
  return printable(`${String(event['reason'])}: ${String(event['message'])}`, 500);
}
