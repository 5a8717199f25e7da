// What a built program begins with; tools/bundle/bundle.mjs writes it as `dist/main.js`, after a line that says of what.
// The bundle is one file instead of a thousand, with V8's compiled code beside it. Where a library was compiled after it,
// or a package installed, the program starts from its modules: an old bundle is never run.
const { readFileSync, statSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const bundle = path.join(__dirname, made.bundle);

function changedAt(file) {
  return statSync(path.join(__dirname, file), { throwIfNoEntry: false })?.mtimeMs;
}

function isCurrent() {
  const bundled = changedAt(made.bundle);
  return bundled !== undefined && made.compiled.every((file) => (changedAt(file) ?? 0) <= bundled);
}

/** V8 refuses what another version of it or another set of its options has made; the name keeps those apart. */
function compiledCodeFile() {
  const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')].filter((word) => /^--[\w-]+(=\w+)?$/.test(word));
  return `${bundle}.${process.version}-${process.arch}${options.join('')}.code`;
}

function compiledCode() {
  try {
    return readFileSync(compiledCodeFile());
  } catch {
    return undefined;
  }
}

function compile(cachedData) {
  return new vm.Script(Module.wrap(readFileSync(bundle, 'latin1')), {
    filename: bundle,
    cachedData,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
}

function run(script) {
  const program = new Module(bundle, module);
  program.filename = bundle;
  program.paths = module.paths;
  script.runInThisContext()(program.exports, Module.createRequire(bundle), program, bundle, __dirname);
  return program.exports;
}

// The build asks for these; every other start runs.
if (globalThis.larryBundle) Object.assign(globalThis.larryBundle, { isCurrent: isCurrent(), compiledCodeFile: compiledCodeFile(), compile, run });
else module.exports = isCurrent() ? run(compile(compiledCode())) : require(path.join(__dirname, made.modules));
