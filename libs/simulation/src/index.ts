export * from './server';
export * from './cluster';
export * from './builtin';
export * from './simulated-cluster';
