export * from './digest';
export { applyChange, changeDigest, changeId, resolveIntent, rollBack } from './effects';
export type { EffectContext, EffectJournal, EffectOutcome, Intent } from './effects';
export * from './engine';
export * from './errors';
export * from './json-patch';
export * from './json-pointer';
export * from './playbook';
export * from './registry';
