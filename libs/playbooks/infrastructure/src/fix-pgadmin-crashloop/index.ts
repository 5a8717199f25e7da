import { definePlaybook } from '@larry/playbook';
import { access } from './access';
import { categories } from './change-kinds';
import { diagnose, taskId } from './diagnose';
import { nextChange } from './hidden-fault';
import { observe } from './observe';
import { optionsSchema } from './options';
import { plan } from './plan';
import { refine } from './refine';
import { validate } from './validate';
import { verify } from './verify';

/** Finds what does not run and why, as `larry diagnose` does; repairs what nothing else owns, what Helm owns through Helm, and what Git declares by a branch there. See the readme beside this file. */
export const fixPgadminCrashloop = definePlaybook({
  id: taskId,
  title: 'Repair workloads that will not run',
  description:
    'Reads what larry diagnose reads: workloads, pods, their events and logs, Services, routes, ConfigMaps, claims, quotas, nodes. ' +
    'May change the field that is at fault in a workload, Service, route, node or servers.json that nothing else owns, the value of a Helm release behind it, or a branch in the Git repository that declares it. ' +
    'In the plan, with: { pgadminEmail: you@example.org } or pgadminEmailDomain says which address PgAdmin gets.',
  options: optionsSchema,
  access,
  categories: [...categories],
  observe,
  diagnose,
  refine,
  plan,
  independentSteps: true,
  next: (_facts, { findings }, _options, made) => nextChange(findings, made),
  verify,
  // Whoever validates may not have the options of the plan at hand: the defaults then.
  validate: (context, result) => validate({ ...context, options: optionsSchema.parse(context.options ?? {}) }, result),
});
