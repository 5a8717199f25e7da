export { applyPatchSSA, type ApplyArgs } from './apply-patch';
export { canonicalObject } from './canonical';
export { conflictStatus } from './apply-conflict';
export { customResourceType } from './custom-resource-type';
export type { Field, FieldType, ListType, MapType } from './field-types';
export { jsonPatch } from './json-patch';
export { keepTimesOfNoop } from './noop';
export { mergePatch } from './merge-patch';
export { strategicMerge } from './strategic-merge';
export { trackUpdate, type TrackUpdateArgs } from './track-update';
export {
  PatchError,
  type ApplyConflict,
  type KindKey,
  type KubeMeta,
  type KubeObject,
  type ManagedFieldsEntry,
} from './types';
