import { plannedChangeSchema, type Criterion, type ObjectRef, type PlannedChange } from '@larry/contracts';
import { definePlaybook, type PlaybookContext, type PlaybookLibrary } from '@larry/playbook';
import { z } from 'zod';

/** What a task of the test crew is told in its plan. */
export const effectOptions = z.object({
  /** How many changes it makes. */
  effects: z.number().int().default(10),
  kinds: z.enum(['mixed', 'patch', 'create', 'delete']).default('mixed'),
  /** Its patches go to this many Deployments in turn. */
  deployments: z.number().int().default(2),
  /** Steps that verification calls useless; `all` for every one. */
  notHelping: z.array(z.string()).default([]),
  /** Another task's id: its objects are changed too, so that the marks of both lie over each other. */
  shared: z.string().optional(),
  /** The category of its changes; `test` is what the runs allow in mode auto. */
  category: z.string().default('test'),
});
export type EffectOptions = z.input<typeof effectOptions>;

/** Where the test crew's objects live. */
export const namespace = 'default';

/** The step of an effect, its kind and its target: the same in every attempt. */
export function effectOf(task: string, index: number, given: EffectOptions): { step: string; verb: 'patch' | 'create' | 'delete'; target: ObjectRef } {
  const options = effectOptions.parse(given);
  const step = `e${String(index).padStart(3, '0')}`;
  const verb = options.kinds === 'mixed' ? ((['patch', 'create', 'delete'] as const)[index % 3] ?? 'patch') : options.kinds;
  const owner = options.shared ?? task;
  const name = { patch: `counted-${owner}-${index % options.deployments}`, create: `made-${task}-${step}`, delete: `doomed-${task}-${step}` }[verb];
  const type = verb === 'patch' ? { apiVersion: 'apps/v1', kind: 'Deployment' } : { apiVersion: 'v1', kind: 'ConfigMap' };
  return { step, verb, target: { ...type, namespace, name } };
}

const listPath = '/spec/template/spec/containers/0/args';

/** Appending to a list is not idempotent, and depends here on nothing that it changes. */
function plannedEffect(task: string, index: number, options: EffectOptions): PlannedChange {
  const { step, verb, target } = effectOf(task, index, options);
  const base = { step, verb, target, summary: `${verb} ${target.name}`, category: options.category ?? 'test' };
  switch (verb) {
    case 'patch':
      return plannedChangeSchema.parse({ ...base, patch: [{ op: 'add', path: `${listPath}/-`, value: `${task}/${step}` }], depends: ['/spec/template/spec/containers/0/image'] });
    case 'create':
      return plannedChangeSchema.parse({ ...base, object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: target.name, namespace }, data: { step } }, depends: [] });
    case 'delete':
      return plannedChangeSchema.parse({ ...base, depends: ['/data/keep'] });
  }
}

async function everyEffectIsThere(context: PlaybookContext<z.output<typeof effectOptions>>): Promise<Criterion[]> {
  const { options, task } = context;
  let there = 0;
  for (let i = 0; i < options.effects; i++) {
    const { step, verb, target } = effectOf(task, i, options);
    const object = await context.cluster.get(target, context.signal);
    const args = JSON.stringify(object?.['spec'] ?? {});
    if (verb === 'patch' ? args.includes(`"${task}/${step}"`) : (verb === 'create') === (object !== undefined)) there++;
  }
  const observation = { subject: 'effects', value: `${there} of ${options.effects}`, at: context.now().toISOString() };
  return [{ id: 'every-effect', text: 'Every effect is at its target', verdict: there === options.effects ? 'met' : 'not-met', observation }];
}

const effects = (id: string) =>
  definePlaybook<object, z.output<typeof effectOptions>>({
    id,
    title: id,
    description: 'Makes changes that are not idempotent by nature.',
    options: effectOptions as unknown as z.ZodType<z.output<typeof effectOptions>>,
    access: [],
    observe: () => Promise.resolve({}),
    diagnose: () => ({ summary: 'Made changes.', findings: [], figures: {}, criteria: [], unknowns: [] }),
    plan: (_facts, _diagnosis, options) => Array.from({ length: options.effects }, (_, i) => plannedEffect(id, i, options)),
    verify: async (context, _facts, applied) => ({
      criteria: await everyEffectIsThere(context),
      rollBack: applied.filter((c) => context.options.notHelping.some((s) => s === 'all' || s === c.step)).map((c) => ({ step: c.step, reason: 'it did not help' })),
    }),
    validate: (context) => everyEffectIsThere(context),
  });

const noop = (id: string) =>
  definePlaybook<object, Record<string, unknown>>({
    id,
    title: id,
    description: 'Does nothing.',
    options: z.record(z.string(), z.unknown()),
    access: [],
    observe: () => Promise.resolve({}),
    diagnose: () => ({ summary: 'Nothing.', findings: [], figures: {}, criteria: [], unknowns: [] }),
    validate: () => Promise.resolve([]),
  });

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** The playbooks of every Larry of the test crew: `effects-1` … `effects-16`, `noop-1` … `noop-64`. */
export const testPlaybooks: PlaybookLibrary = {
  built: [...range(16).map((n) => effects(`effects-${n}`)), ...range(64).map((n) => noop(`noop-${n}`))],
  notBuilt: [],
};
