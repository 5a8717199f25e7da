import type { KubeObject } from '@larry/contracts';
import { lastWarning, setupObstacle } from './job-events';

const event = (reason: string, second: number, more: object = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Event', metadata: { name: `${reason}-${second}` }, type: reason.startsWith('Failed') ? 'Warning' : 'Normal', reason, message: `about ${reason}`, lastTimestamp: `2026-11-22T10:00:${String(second).padStart(2, '0')}Z`, ...more }) as unknown as KubeObject;

describe('what keeps a pod from being set up', () => {
  it.each<[string, KubeObject[], string]>([
    ['a Secret that cannot be mounted', [event('Scheduled', 1), event('FailedMount', 9)], 'FailedMount: about FailedMount'],
    ['a volume that cannot be attached', [event('FailedAttachVolume', 9)], 'FailedAttachVolume: about FailedAttachVolume'],
    ['a mount that fails after the volume was attached', [event('SuccessfulAttachVolume', 3), event('FailedMount', 9)], 'FailedMount: about FailedMount'],
    ['a network that is not there, repeated as a series', [event('Pulling', 5), event('FailedCreatePodSandBox', 1, { lastTimestamp: null, eventTime: '2026-11-22T10:00:01.000000Z', series: { count: 9, lastObservedTime: '2026-11-22T10:00:30.000000Z' } })], 'FailedCreatePodSandBox: about FailedCreatePodSandBox'],
    ['nothing, while an image is pulled', [event('Scheduled', 1), event('Pulling', 2)], ''],
    ['nothing any more: the mount came, and the image is pulled', [event('FailedMount', 3), event('Pulling', 8)], ''],
    ['nothing that other warnings tell', [event('FailedPreStopHook', 3)], ''],
    ['nothing without events', [], ''],
  ])('%s', (_, events, said) => expect(setupObstacle(events)).toBe(said));

  it('is harmless on a terminal', () => expect(setupObstacle([event('FailedMount', 1, { message: 'secret \u001b[2J gone' })])).not.toContain('\u001b'));
});

it('the last warning is the newest, whatever the order of the list', () => {
  expect(lastWarning([event('FailedMount', 9), event('FailedScheduling', 2)])).toBe('FailedMount: about FailedMount');
  expect(lastWarning([])).toBe('');
});
