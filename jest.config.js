// One configuration for every library and app: sources are compiled by SWC on the way in, libraries
// resolve to their sources, so that a test needs no build. `e2e/` has its own configuration, over the build.
/** @type {import('jest').Config} */
module.exports = {
  rootDir: __dirname,
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/eval', '<rootDir>/tools'],
  globalSetup: '<rootDir>/tools/unpack-kube-tools.cjs',
  testMatch: ['**/*.spec.ts', '**/*.int-spec.ts', '**/test/*.e2e-spec.ts', '**/tools/**/*.spec.mjs'],
  modulePathIgnorePatterns: ['/dist/'],
  transform: {
    '\\.[mc]?[jt]sx?$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // These packages are ESM only or load parts of Node by import(); jest in CommonJS mode must compile them.
  transformIgnorePatterns: ['/node_modules/(?!(@kubernetes/client-node|openid-client|oauth4webapi|jose|@opentelemetry/otlp-exporter-base)/)'],
  moduleNameMapper: {
    // Lazy imports name the file as it is built.
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@larry/playbooks-([^/]+)$': '<rootDir>/libs/playbooks/$1/src',
    '^@larry/([^/]+)/(nest|testing)$': '<rootDir>/libs/$1/src/$2',
    '^@larry/([^/]+)$': '<rootDir>/libs/$1/src',
  },
  // Long, since build and lint run beside.
  testTimeout: 60_000,
};
