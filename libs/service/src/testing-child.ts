/**
 * JavaScript that goes before the text of a program for `node -e`, run from the repository: it compiles sources on the way
 * in, as jest does, and resolves libraries to their sources, so that a test of a process needs no build.
 */
export const childPrelude = `
const swc = require('@swc/core'), path = require('node:path'), Module = require('node:module');
const compile = { jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true, decoratorMetadata: true } }, module: { type: 'commonjs' } };
Module._extensions['.ts'] = (m, f) => m._compile(swc.transformFileSync(f, compile).code, f);
const resolveName = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => {
  const [, library, part] = /^@larry\\/([^/]+)(?:\\/(nest|testing))?$/.exec(name) ?? [];
  const source = library && path.resolve(library.startsWith('playbooks-') ? 'libs/playbooks/' + library.slice(10) : 'libs/' + library, 'src', (part ?? 'index') + '.ts');
  return resolveName(source ?? name, ...rest);
};
`;
