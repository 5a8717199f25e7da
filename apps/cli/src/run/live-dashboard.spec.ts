import { eventually } from '@larry/redis/testing';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { anEvent, aStatus, aTask } from '../../test/builders';
import type { ApiClient } from './api-client';
import { Figures, LiveDashboard } from './live-dashboard';
import type { RunStatusView } from '@larry/contracts';

/** A terminal of a test: what is written to it, and a size that can change. */
function terminal(columns = 80, rows = 24): { stream: WriteStream; written(): string } {
  const pipe = new PassThrough();
  let text = '';
  pipe.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  return { stream: Object.assign(pipe, { isTTY: true, columns, rows }) as unknown as WriteStream, written: () => text };
}

class FakeApi {
  readonly asked: string[] = [];
  status: RunStatusView = aStatus();
  problem?: Error;

  async get(path: string): Promise<unknown> {
    this.asked.push(path);
    if (this.problem) throw this.problem;
    return this.status;
  }

  async find(path: string): Promise<unknown> {
    this.asked.push(path);
    if (path.includes('/reports/')) return { source: { simulated: true } };
    return { result: { figures: { critical: 2, note: 'x' } } };
  }

  get client(): ApiClient {
    return this as unknown as ApiClient;
  }

  readings(): number {
    return this.asked.filter((p) => p === '/runs/current').length;
  }
}

let view: LiveDashboard | undefined;
afterEach(() => view?.end());

function open(api: FakeApi, size?: [number, number]): ReturnType<typeof terminal> {
  const screen = terminal(...(size ?? []));
  view = new LiveDashboard(api.client, { stream: screen.stream, keys: 'Ctrl-C leaves' });
  return screen;
}

describe('the live dashboard', () => {
  it('takes the alternate screen and gives it back, cursor and all, once', async () => {
    const screen = open(new FakeApi());
    await eventually(() => expect(screen.written()).toContain('SIMULATED'));
    view?.end();
    view?.end();
    expect(screen.written().startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
    expect(screen.written().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    expect(screen.written().match(/\u001b\[\?1049l/g)).toHaveLength(1);
    expect(process.listenerCount('exit')).toBeLessThan(5);
  });

  describe('by a clock moved by hand', () => {
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
    afterEach(() => {
      view?.end();
      jest.useRealTimers();
    });

    it('reads the status at most five times a second, however many events come, and shows the last of them', async () => {
      const api = new FakeApi();
      const screen = open(api);
      for (let i = 0; i < 300; i++) {
        view?.event(anEvent({ task_id: `event-${i}` }, `${i}-0`));
        await jest.advanceTimersByTimeAsync(20);
      }
      expect(api.readings()).toBeGreaterThan(20);
      expect(api.readings()).toBeLessThanOrEqual(31);
      await jest.advanceTimersByTimeAsync(200);
      expect(screen.written()).toContain('event-299');
    });

    it('asks nothing when nothing happens, and the seconds count on', async () => {
      const api = new FakeApi();
      const screen = open(api);
      await jest.advanceTimersByTimeAsync(500);
      const asked = api.asked.length;
      expect(screen.written()).toContain('running 1:30');
      await jest.advanceTimersByTimeAsync(60_000);
      expect(api.asked.length).toBe(asked);
      expect(screen.written()).toContain('running 2:30');
    });
  });

  it('looks again while a worker is being launched, since no event says that it has started', async () => {
    const api = new FakeApi();
    api.status = aStatus({ tasks: [aTask({ task: 'slow-start', status: 'claimed' })] });
    const screen = open(api);
    await eventually(() => expect(screen.written()).toMatch(/slow-start +starting/));
    api.status = aStatus({ tasks: [aTask({ task: 'slow-start' })] });
    await eventually(() => expect(screen.written()).toMatch(/slow-start +working/));
  });

  it('says that the API is gone, goes on asking, and shows the run again', async () => {
    const api = new FakeApi();
    const screen = open(api);
    await eventually(() => expect(screen.written()).toContain('Ctrl-C leaves'));
    api.problem = new Error('the meta-coordinator does not answer');
    view?.event(anEvent());
    await eventually(() => expect(screen.written()).toContain('the meta-coordinator does not answer'));
    api.problem = undefined;
    const before = screen.written().length;
    await eventually(() => expect(screen.written().slice(before)).toContain('Ctrl-C leaves'));
  });

  it('draws anew when the terminal has another size', async () => {
    const screen = open(new FakeApi(), [80, 24]);
    await eventually(() => expect(screen.written()).toContain('Ctrl-C leaves'));
    Object.assign(screen.stream, { columns: 200, rows: 50 });
    const before = screen.written().length;
    screen.stream.emit('resize');
    expect(screen.written().slice(before)).toContain('Infrastructure & Database Operations');
  });
});

describe('the figures of a run', () => {
  it('are asked for once a task, summed for each Larry, and forgotten with the run', async () => {
    const api = new FakeApi();
    const figures = new Figures();
    const tasks = [aTask({ task: 'a', larry: 'larry-02', status: 'completed' }), aTask({ task: 'b', larry: 'larry-02', status: 'completed' }), aTask({ task: 'c', status: 'failed' })];
    const status = aStatus({ tasks });
    await figures.read(api.client, status);
    await figures.read(api.client, status);
    expect(api.asked).toEqual(['/runs/current/tasks/a', '/runs/current/tasks/b']);
    expect(figures.byLarry(status)).toEqual({ 'larry-02': { critical: 4 } });
    await figures.read(api.client, { ...status, run: 'another' });
    expect(api.asked).toHaveLength(4);
  });
});
