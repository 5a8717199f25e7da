export * from './builders';
export * from './memory-cluster';
export * from './testing-folder';
export * from './git/testing-clone';
