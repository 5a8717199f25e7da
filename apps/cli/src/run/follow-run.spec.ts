import { aStatus } from '../../test/builders';
import type { ApiClient } from './api-client';
import { followRun } from './follow-run';
import { runView } from './run-view';

/** An API whose events never come. */
class QuietApi {
  status = aStatus({ run: 'run-1' });
  problem?: Error;
  looks = 0;

  async get(): Promise<unknown> {
    this.looks++;
    if (this.problem) throw this.problem;
    return this.status;
  }

  async find(): Promise<unknown> {
    return undefined;
  }

  async *events({ signal }: { signal: AbortSignal }): AsyncGenerator<never> {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  }

  get client(): ApiClient {
    return this as unknown as ApiClient;
  }
}

describe('a run that is followed', () => {
  const full = 'Redis at 127.0.0.1:1 has reached its maxmemory: raise it';
  let said: (string | undefined)[];
  const view = { event: () => undefined, trouble: (sentence?: string) => void said.push(sentence), end: () => undefined };

  beforeEach(() => {
    said = [];
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  });
  afterEach(() => jest.useRealTimers());

  it('says within seconds what holds it up, once, and when that is over', async () => {
    const api = new QuietApi();
    const followed = followRun(api.client, 'run-1', view, new AbortController().signal);
    api.status = { ...api.status, trouble: full };
    await jest.advanceTimersByTimeAsync(3000);
    expect(said).toEqual([full]);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(said).toEqual([full]);
    api.status = aStatus({ run: 'run-1' });
    await jest.advanceTimersByTimeAsync(3000);
    expect(said).toEqual([full, undefined]);
    api.status = aStatus({ run: 'run-1', status: 'completed' });
    await jest.advanceTimersByTimeAsync(3000);
    expect(await followed).toMatchObject({ status: 'completed' });
  });

  it('says what keeps its status from being read when that lasts, and nothing of a restart', async () => {
    const api = new QuietApi();
    const stop = new AbortController();
    const followed = followRun(api.client, 'run-1', view, stop.signal);
    api.problem = new Error('Redis at 127.0.0.1:1 cannot be reached');
    await jest.advanceTimersByTimeAsync(5000);
    api.problem = undefined;
    await jest.advanceTimersByTimeAsync(3000);
    expect(said).toEqual([]);
    api.problem = new Error('Redis at 127.0.0.1:1 cannot be reached');
    await jest.advanceTimersByTimeAsync(9000);
    expect(said).toEqual(['Redis at 127.0.0.1:1 cannot be reached']);
    stop.abort();
    expect(await followed).toBeUndefined();
  });

  it.each([true, false])('tells it on standard error where there is no dashboard (quiet: %s)', (quiet) => {
    const written: string[] = [];
    const spy = jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    const lines = runView({} as ApiClient, { plain: true, quiet, keys: '', address: {} });
    lines.trouble(full);
    lines.trouble(undefined);
    spy.mockRestore();
    expect(written).toEqual([`larry: the run is held up: ${full}\n`, 'larry: that is over, and the run goes on\n']);
  });
});
