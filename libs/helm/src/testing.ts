export * from './testing/a-release';
