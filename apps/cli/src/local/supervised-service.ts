import { exitCodes, UserError } from '../user-error';
import { startChildService, type ChildService, type ChildServiceSpec } from './child-service';

/** What to do when a child ends that nobody stopped. */
export interface Supervision {
  /** How often it is started again; 0 where its state is gone with it. */
  restarts: number;
  /** Tells the user, one sentence. */
  say(text: string): void;
  /** It cannot be started again: the run cannot go on. */
  lost(error: UserError): void;
}

/** A child that is started again when it dies. */
export interface SupervisedService {
  /** The one that runs now. */
  current(): ChildService;
  stop(graceMs?: number): Promise<void>;
}

/** Starts a child and keeps it up. Throws like `startChildService` when the first start fails. */
export async function startSupervisedService(spec: ChildServiceSpec, supervision: Supervision): Promise<SupervisedService> {
  let current = await startChildService(spec);
  let stopping = false;
  let left = supervision.restarts;
  const watch = (): void => {
    const { pid, logFile } = current;
    void current.exited.then(async ({ code, signal }) => {
      if (stopping) return;
      const what = `${spec.name} (process ${pid}) ended by itself (${signal ?? `exit code ${code}`}); its log: ${logFile}`;
      if (left-- <= 0) return supervision.lost(new UserError(what, exitCodes.unreachable));
      supervision.say(`${what}; it is started again`);
      try {
        // The same port, so that who knows its address finds it there.
        const port = current.ready['port'];
        current = await startChildService({ ...spec, env: { ...spec.env, ...(port === undefined ? {} : { PORT: String(port) }) } });
        if (stopping) return void (await current.stop());
        watch();
      } catch (error) {
        supervision.lost(error instanceof UserError ? error : new UserError(String(error), exitCodes.unreachable));
      }
    });
  };
  watch();
  return {
    current: () => current,
    stop: async (graceMs) => {
      stopping = true;
      await current.stop(graceMs);
    },
  };
}
