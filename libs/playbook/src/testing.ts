export * from './testing/effect-cases';
export * from './testing/memory-target';
export * from './testing/memory-releases';
