import { listOf, textOf, valueIn, type Criterion, type TaskResult } from '@larry/contracts';
import { definePlaybook, type PlaybookContext } from '@larry/playbook';
import { z } from 'zod';
import { compareRecords, diagnose, taskId } from './diagnose';
import { observe, recordIds, type HelmFacts, type RecordId } from './observe';

const options = z.object({});

/** Catalogs Helm's releases from Helm's own records. See the readme beside this file. */
export const catalogHelmReleases = definePlaybook<HelmFacts, z.infer<typeof options>>({
  id: taskId,
  title: 'Every Helm release and revision',
  description: "Reads Helm's records (Secrets or ConfigMaps labelled owner=helm); without the right to read Secrets, the marks that Helm leaves on objects. Keeps no values. Changes nothing.",
  options,
  access: [
    { apiGroups: [''], resources: ['secrets', 'configmaps', 'services', 'serviceaccounts'], verbs: ['list'] },
    { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets'], verbs: ['list'] },
    { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['list'] },
  ],
  observe: (context) => observe(context),
  diagnose,
  validate,
});

/** Lists Helm's records anew and compares them, one by one, with those of the catalog. */
async function validate(context: PlaybookContext, result: TaskResult): Promise<Criterion[]> {
  const claimed = result.criteria.find((c) => c.id === 'matches-helm-list');
  // What could not be decided then is decided by a whole new look; so is a snapshot, which cannot have changed.
  if (!claimed?.observation || context.cluster.source.type !== 'live') return diagnose(await observe(context)).criteria;
  const then = listOf(valueIn(result.artifacts, 'releases', 'records')).map(
    (r): RecordId => ({ id: textOf(valueIn(r, 'id')) ?? '', status: textOf(valueIn(r, 'status')) ?? '', digest: textOf(valueIn(r, 'digest')) ?? '' }),
  );
  const corrupt = listOf(valueIn(result.artifacts, 'releases', 'corrupt')).map(String);
  const now = await recordIds(context);
  if (!Array.isArray(now)) return [{ id: claimed.id, text: claimed.text, verdict: 'unknown', reason: `Helm's records cannot be read any more: ${now.closed}` }];
  return [compareRecords(then, now, context.now().toISOString(), corrupt)];
}
