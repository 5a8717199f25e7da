import { definePlaybook } from '@larry/playbook';
import { z } from 'zod';
import { diagnose, taskId } from './diagnose';
import { observe, type CatalogsFacts } from './observe';
import { validate } from './validate';

const options = z.object({});

/** Tags the assets of the catalogs and draws where they come from. See the readme beside this file. */
export const classifyAssets = definePlaybook<CatalogsFacts, z.infer<typeof options>>({
  id: taskId,
  title: 'Classification and lineage',
  description: 'Works on the catalogs of the same run, or takes them itself: tags with the rule that said so, health scores, orphans, lineage as JSON, Mermaid and SVG. Changes nothing.',
  options,
  access: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }],
  observe: (context) => observe(context),
  diagnose,
  validate: (context, result) => validate(context, result),
});
