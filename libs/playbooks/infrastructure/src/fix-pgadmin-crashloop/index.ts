import { definePlaybook } from '@larry/playbook';
import { diagnose, taskId } from './diagnose';
import { observe } from './observe';
import { optionsSchema } from './options';
import { plan } from './plan';
import { categories } from './remedy';
import { validate, verify } from './verify';

/** Finds what does not run and why; repairs a PgAdmin that nothing else owns. See the readme beside this file. */
export const fixPgadminCrashloop = definePlaybook({
  id: taskId,
  title: 'Repair workloads that will not run',
  description:
    'Reads workloads, pods, their events and logs, ConfigMaps and the keys of Secrets that PgAdmin names. ' +
    "May change PgAdmin's e-mail variable or its pod's fsGroup in a Deployment, StatefulSet or DaemonSet that nothing else owns.",
  options: optionsSchema,
  access: [
    { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], verbs: ['get', 'list'] },
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list'] },
    { apiGroups: [''], resources: ['pods', 'pods/log', 'events', 'configmaps'], verbs: ['get', 'list'] },
    {
      apiGroups: ['apps'],
      resources: ['deployments', 'statefulsets', 'daemonsets'],
      verbs: ['patch'],
      fields: ['/spec/template/spec/containers', '/spec/template/spec/securityContext', '/metadata/annotations'],
    },
  ],
  categories,
  observe,
  diagnose,
  plan,
  verify,
  // Whoever validates may not have the options of the plan at hand: the defaults then.
  validate: (context, result) => validate({ ...context, options: optionsSchema.parse(context.options ?? {}) }, result),
});
