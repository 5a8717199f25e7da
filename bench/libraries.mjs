// The built libraries (CommonJS). What is measured is what runs.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
export const program = (...parts) => path.join(root, 'bench', 'programs', ...parts);
export const app = (name, file = 'main.js') => path.join(root, 'apps', name, 'dist', file);

export const { testRedis } = require('@larry/redis/testing');
export const { connectRedis } = require('@larry/redis');
export const { Coordination, onWake } = require('@larry/coordination');
export const { aRunSpec, aRunTask } = require('@larry/coordination/testing');
export const { JobLauncher, LarryEngine, parseJobTemplate, ProcessLauncher } = require('@larry/coordinator');
export const { TokenLedger } = require('@larry/budget');
export const { openLive, writeSnapshot } = require('@larry/kube');
export const kubeTesting = require('@larry/kube/testing');
export const peers = { Redis: require('ioredis').Redis, Redlock: require('redlock'), bullmq: require('bullmq') };
export const versionOf = (name) => JSON.parse(require('node:fs').readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
export const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
