import {
  applyPatchSSA,
  canonicalObject,
  conflictStatus,
  jsonPatch,
  mergePatch,
  PatchError,
  strategicMerge,
  trackUpdate,
  type KubeObject,
} from './index';
import { isObject, jsonEqual, own } from './json-values';
import { isStale, kindOf, recordedSteps, Recording, type RecordedWrite } from './recorded-writes.conformance';

const folder = recordedSteps();
if (!folder) console.info('skipped: no recordings beside the repository (../shared/recordings)');
const recording = folder ? new Recording(folder) : undefined;
const writes = recording?.writes() ?? [];
const whenRecorded = folder ? describe : describe.skip;

/** Its admission plug-in sets these, in the one step that has a LimitRange. */
const LIMIT_RANGER = [
  'metadata.annotations',
  'spec.containers.0.resources.limits',
  'spec.containers.0.resources.requests',
];

/** What a server sets on a new object after it noted who owns what. */
const SET_AFTER_TRACKING: Readonly<Record<string, readonly string[]>> = {
  Service: ['spec.clusterIP', 'spec.clusterIPs', 'spec.ipFamilies', 'spec.ipFamilyPolicy'],
  Pod: [
    'spec.serviceAccount',
    'spec.serviceAccountName',
    'spec.tolerations',
    'spec.volumes',
    'spec.priority',
    'spec.preemptionPolicy',
    'spec.containers.0.volumeMounts',
    ...LIMIT_RANGER,
  ],
  PersistentVolumeClaim: ['metadata.finalizers'],
  Job: ['metadata.labels', 'spec.selector', 'spec.template.metadata.labels'],
};

function without(value: unknown, path: readonly string[]): unknown {
  const [key = '', ...rest] = path;
  if (Array.isArray(value)) return value.map((item, i) => (String(i) === key ? without(item, rest) : item));
  if (!isObject(value) || own(value, key) === undefined) return value;
  if (rest.length > 0) return { ...value, [key]: without(value[key], rest) };
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

/** The places where two values differ, as text. */
function differences(got: unknown, want: unknown, path = ''): string[] {
  if (jsonEqual(got, want)) return [];
  if (isObject(got) && isObject(want)) {
    return [...new Set([...Object.keys(got), ...Object.keys(want)])].flatMap((key) =>
      differences(own(got, key), own(want, key), `${path}/${key}`),
    );
  }
  if (Array.isArray(got) && Array.isArray(want) && got.length === want.length)
    return got.flatMap((item, i) => differences(item, want[i], `${path}/${i}`));
  return [`${path}: got ${JSON.stringify(got)?.slice(0, 120)}, want ${JSON.stringify(want)?.slice(0, 120)}`];
}

const nowOf = (object: KubeObject): string =>
  (object.metadata?.managedFields ?? [])
    .map(({ time }) => time ?? '')
    .sort()
    .at(-1) || '2026-11-22T00:00:00Z';

function patched(write: RecordedWrite, before: KubeObject): KubeObject {
  if (write.contentType.includes('strategic'))
    return strategicMerge({ live: before, patch: write.body, kind: write.kind });
  return (
    write.contentType.includes('merge-patch') ? mergePatch(before, write.body) : jsonPatch(before, write.body)
  ) as KubeObject;
}

function applied(write: RecordedWrite): ReturnType<typeof applyPatchSSA> {
  const { before: live, body, manager, force, kind, subresource } = write;
  return applyPatchSSA({
    live,
    patch: body as KubeObject,
    manager,
    force,
    now: nowOf(write.response),
    kind,
    subresource,
    type: recording?.typeOf(kind),
  });
}

const isApply = (write: RecordedWrite): boolean => write.contentType.includes('apply-patch');

/** The object after a write, as this folder computes its owners. */
function written(write: RecordedWrite): KubeObject {
  if (isApply(write)) {
    const outcome = applied(write);
    if ('conflicts' in outcome) throw new Error(`unexpected conflict: ${JSON.stringify(outcome.conflicts)}`);
    return outcome.object;
  }
  const { before, kind, manager, subresource, response } = write;
  const sent =
    write.method === 'PATCH' && before
      ? patched(write, before).metadata?.managedFields
      : (write.body as KubeObject).metadata?.managedFields;
  const untracked = before ? [] : (SET_AFTER_TRACKING[kind.kind] ?? []);
  const stored = untracked.reduce<unknown>((object, path) => without(object, path.split('.')), response) as KubeObject;
  const after = { ...stored, metadata: { ...stored.metadata, managedFields: sent } };
  return trackUpdate({
    before,
    after,
    manager,
    operation: 'Update',
    subresource,
    now: nowOf(response),
    kind,
    type: recording?.typeOf(kind),
  });
}

/** Spec and metadata without what the server counts by itself. */
function comparable(object: KubeObject): unknown {
  return ['metadata.managedFields', 'metadata.resourceVersion', 'metadata.generation', 'status'].reduce<unknown>(
    (value, path) => without(value, path.split('.')),
    object,
  );
}

/** A default that the server fills in after a patch: there in the answer, and nowhere before. */
const isDefaulted = (line: string): boolean => line.includes('got undefined, want');

whenRecorded('recorded writes to a real API server', () => {
  const stored = writes.filter((write) => write.status < 300 && (write.status === 201 || write.before));
  const usable = stored.filter((write) => !isStale(write));

  it('leave the same managedFields behind', () => {
    const failures = usable.flatMap((write) => {
      const lines = differences(
        written(write).metadata?.managedFields ?? [],
        write.response.metadata?.managedFields ?? [],
      );
      return lines.length === 0 ? [] : [`${write.label}\n  ${lines.join('\n  ')}`];
    });
    console.info(
      `managedFields: ${usable.length - failures.length} of ${usable.length} equal; ${stored.length - usable.length} not comparable (somebody else wrote in between)`,
    );
    expect(failures).toEqual([]);
    expect(usable.length).toBeGreaterThan(100);
  });

  it('patch objects into the same shape, defaults aside', () => {
    const patches = usable.filter(
      (write) => write.method === 'PATCH' && write.before && write.subresource === undefined,
    );
    let exact = 0;
    const failures = patches.flatMap((write) => {
      const object = isApply(write) ? written(write) : canonicalObject(patched(write, write.before ?? {}), write.kind);
      const lines = differences(comparable(object), comparable(write.response));
      if (lines.length === 0) exact++;
      const wrong = lines.filter((line) => !isDefaulted(line));
      return wrong.length === 0 ? [] : [`${write.label}\n  ${wrong.join('\n  ')}`];
    });
    console.info(
      `patched objects: ${exact} of ${patches.length} equal, ${patches.length - exact - failures.length} equal but for defaults`,
    );
    expect(failures).toEqual([]);
    expect(patches.length).toBeGreaterThan(50);
  });

  it('are refused with the same Status', () => {
    const refused = writes.filter(
      (write) =>
        isApply(write) &&
        write.status >= 400 &&
        /conflict:|conflicts:|typed patch|must be nil|object type/.test(String(write.response['message'])),
    );
    const failures = refused.flatMap((write) => {
      const lines = differences(refusal(write), write.response);
      return lines.length === 0 ? [] : [`${write.label}\n  ${lines.join('\n  ')}`];
    });
    console.info(`refused applies: ${refused.length - failures.length} of ${refused.length} equal`);
    expect(failures).toEqual([]);
    expect(refused.length).toBeGreaterThan(5);
  });

  it('refuse the same JSON patches with the same Status', () => {
    const refused = writes.filter((write) => write.contentType.includes('json-patch') && write.status >= 400);
    for (const write of refused) expect(refusal(write)).toEqual(write.response);
  });
});

function refusal(write: RecordedWrite): unknown {
  try {
    const outcome = isApply(write) ? applied(write) : { object: patched(write, write.before ?? {}) };
    return 'conflicts' in outcome ? conflictStatus(outcome.conflicts) : outcome.object;
  } catch (error) {
    if (error instanceof PatchError) return error.status();
    throw error;
  }
}

whenRecorded('observed updates by controllers and others', () => {
  it('give each field to the same manager', () => {
    const updates = recording?.updates() ?? [];
    const failures = updates.flatMap(({ label, before, after, entry }) => {
      const kind = kindOf(after);
      const sent = { ...after, metadata: { ...after.metadata, managedFields: undefined } };
      const tracked = trackUpdate({
        before,
        after: sent,
        manager: entry.manager ?? '',
        operation: 'Update',
        subresource: entry.subresource,
        now: entry.time ?? '',
        kind,
        type: recording?.typeOf(kind),
      });
      const lines = differences(tracked.metadata?.managedFields ?? [], after.metadata?.managedFields ?? []);
      return lines.length === 0 ? [] : [`${label} ${entry.manager}\n  ${lines.join('\n  ')}`];
    });
    console.info(`observed updates: ${updates.length - failures.length} of ${updates.length} equal`);
    expect(failures).toEqual([]);
  });
});
