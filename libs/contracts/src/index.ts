export * from './change';
export * from './events';
export * from './finding';
export * from './kube-object';
export * from './plan';
export * from './task';
