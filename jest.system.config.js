// Several built programs together, as processes: killed, paused, cut off, restarted. Needs the build.
const base = require('./jest.config.js');

/** @type {import('jest').Config} */
module.exports = {
  ...base,
  roots: ['<rootDir>/e2e'],
  testMatch: ['**/e2e/**/*.spec.ts'],
  modulePathIgnorePatterns: [],
  // Libraries as they are built, through the workspace's own packages.
  moduleNameMapper: {},
  setupFilesAfterEnv: ['<rootDir>/e2e/setup.js'],
  testSequencer: '<rootDir>/e2e/long-first.js',
  testTimeout: 120_000,
};
