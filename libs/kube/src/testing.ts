export * from './builders';
export * from './memory-cluster';
