import { definePlaybook } from '@larry/playbook';
import { z } from 'zod';
import { diagnose, taskId, type Options } from './diagnose';
import { observe, type CatalogFacts } from './observe';
import { validate } from './validate';

const options = z.object({ maxAssets: z.number().int().min(1).max(20_000).default(3000) });

/** Lists every object of every kind and what depends on what. See the readme beside this file. */
export const catalogDeployments = definePlaybook<CatalogFacts, Options>({
  id: taskId,
  title: 'Every object of every kind',
  description: 'Lists every object of every kind that may be listed, custom resources too, and how they depend on each other. Of Secrets it keeps no values. Changes nothing.',
  options,
  access: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }],
  observe: (context) => observe(context),
  diagnose,
  validate: (context, result) => validate(context, result),
});
