export { connectRedis } from './client';
export type { AcknowledgedReply, RedisClient, RedisCommands, RedisOptions, ScriptRunner } from './client';
export { RedisAccessError, RedisError, RedisFullError, RedisReadOnlyError, RedisSetupError, RedisUnavailableError } from './errors';
export { loadScripts } from './scripts';
export type { ScriptSource } from './scripts';
export type { MessageListener, RedisSubscriber } from './subscriber';
export { describeAddress, parseRedisUrl } from './url';
export type { RedisAddress, Topology } from './url';
