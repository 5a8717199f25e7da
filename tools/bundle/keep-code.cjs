// `node [options] tools/bundle/keep-code.cjs PROGRAM [ARGUMENT …]`: runs a bundled program once and keeps the code that V8
// has compiled for it by its end, for later starts with the same options of node.
const { renameSync, writeFileSync } = require('node:fs');

process.argv.splice(1, 1);
globalThis.larryBundle = {};
require(process.argv[1]);
const { compile, compiledCodeFile, run } = globalThis.larryBundle;
delete globalThis.larryBundle;
const script = compile();
process.once('exit', () => {
  const temporary = `${compiledCodeFile}.${process.pid}`;
  writeFileSync(temporary, script.createCachedData());
  renameSync(temporary, compiledCodeFile);
});
run(script);
