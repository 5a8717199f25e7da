import type { KubeObject } from '@larry/contracts';
import { SimulatedApiServer } from '@larry/simulation';
import { effectOf, effectOptions, namespace, type EffectOptions } from './playbooks';

/** A task and its options, as the plan has them. */
export interface EffectTask {
  id: string;
  with: Record<string, unknown>;
}

/** What must be there before a task can make its changes. */
export function objectsFor(tasks: readonly EffectTask[]): KubeObject[] {
  return tasks.flatMap(({ id, with: given }) => {
    const options = effectOptions.parse(given);
    const targets = Array.from({ length: options.effects }, (_, i) => effectOf(id, i, given as EffectOptions));
    const names = (verb: string): string[] => [...new Set(targets.filter((t) => t.verb === verb).map((t) => t.target.name))];
    return [...names('patch').map(aDeployment), ...names('delete').map(aDoomed)];
  });
}

function aDeployment(name: string): KubeObject {
  const labels = { app: name };
  const containers = [{ name: 'app', image: 'example.com/app:1.0', args: ['start'] }];
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } } };
}

const aDoomed = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { keep: 'no' } });

/** A simulated API server with what the tasks change. */
export function startTarget(tasks: readonly EffectTask[]): Promise<SimulatedApiServer> {
  return SimulatedApiServer.start({ objects: objectsFor(tasks) });
}

/** How often each effect of a run was accepted, by the target's own journal. */
export interface EffectCounts {
  expected: number;
  once: number;
  /** Ids accepted more than once. */
  doubled: string[];
  /** Ids never accepted. */
  missing: string[];
}

/** Counts, by the change's id, the writes that the target accepted from Larry. Deletes carry no mark: they are counted by name. `since`: entries of the journal up to this one are left out. */
export function countEffects(server: SimulatedApiServer, run: string, tasks: readonly EffectTask[], since = 0): EffectCounts {
  const accepted = new Map<string, number>();
  for (const entry of server.journal()) {
    if (entry.seq <= since || entry.manager !== 'larry' || !entry.changed) continue;
    const key = entry.verb === 'delete' ? `delete ${entry.name}` : (entry.change ?? '');
    accepted.set(key, (accepted.get(key) ?? 0) + 1);
  }
  const counts: EffectCounts = { expected: 0, once: 0, doubled: [], missing: [] };
  for (const { id: task, with: given } of tasks) {
    for (let i = 0; i < effectOptions.parse(given).effects; i++) {
      const { step, verb, target } = effectOf(task, i, given as EffectOptions);
      const id = `${run}/${task}/${step}`;
      const times = accepted.get(verb === 'delete' ? `delete ${target.name}` : id) ?? 0;
      counts.expected++;
      if (times === 1) counts.once++;
      else (times > 1 ? counts.doubled : counts.missing).push(`${id} ×${times}`);
    }
  }
  return counts;
}

/** What stands in the lists that patches append to: each effect must stand there exactly once as well. */
export function appended(server: SimulatedApiServer): string[] {
  return server.objects('deployments.apps', namespace).flatMap((d) => {
    const spec = d['spec'] as { template: { spec: { containers: { args?: string[] }[] } } };
    return (spec.template.spec.containers[0]?.args ?? []).filter((a) => a !== 'start');
  });
}
