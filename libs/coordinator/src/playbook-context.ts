import type { TaskResult } from '@larry/contracts';
import type { HelmLocation } from '@larry/helm';
import type { ClusterReader } from '@larry/kube';
import type { PlaybookContext, PlaybookLog } from '@larry/playbook';
import { setTimeout as delay } from 'node:timers/promises';

/** What differs between one playbook's run and another's. */
export interface ContextParts {
  run: string;
  task: string;
  cluster: ClusterReader;
  helm?: HelmLocation;
  git?: string;
  options: Record<string, unknown>;
  signal: AbortSignal;
  results: ReadonlyMap<string, TaskResult>;
  log: PlaybookLog;
  progress(percent: number, message: string): void;
}

/** A playbook's view of the world with this machine's clock. */
export function playbookContext(parts: ContextParts): PlaybookContext {
  return {
    ...parts,
    now: () => new Date(),
    wait: async (ms) => {
      await delay(ms, undefined, { signal: parts.signal });
    },
  };
}
