export * from './errors';
export * from './reader';
export * from './writer';
export * from './manifests';
export * from './dump';
export { parseFieldSelector, parseLabelSelector, selects } from './selector';
export { builtinKinds, builtinKind, kindKey, type BuiltinKind } from './builtin-kinds';
