import { ConfigurationError, readEnvironment, serviceEnvironmentSchema } from './config';

const read = (env: NodeJS.ProcessEnv) => readEnvironment(serviceEnvironmentSchema, env);
const fine = { REDIS_URL: 'redis://127.0.0.1:6379' };

describe('the environment of a service', () => {
  it('has defaults for everything but the Redis', () => {
    expect(read(fine)).toMatchObject({ LARRY_PREFIX: '', PORT: 8080, LARRY_LISTEN: '127.0.0.1', LARRY_SOURCE: 'live', LARRY_LEASE_TTL_MS: 30_000 });
  });

  it.each([
    ['REDIS_URL', {}],
    ['PORT', { ...fine, PORT: 'http' }],
    ['PORT', { ...fine, PORT: '70000' }],
    ['LOG_LEVEL', { ...fine, LOG_LEVEL: 'loud' }],
    ['LARRY_SOURCE', { ...fine, LARRY_SOURCE: 'manifests:' }],
    ['LARRY_LEASE_TTL_MS', { ...fine, LARRY_LEASE_TTL_MS: '5' }],
  ])('names %s when it does not fit', (name, env) => {
    expect(() => read(env)).toThrow(ConfigurationError);
    expect(() => read(env)).toThrow(new RegExp(`${name}: .+`));
  });

  it.each([
    [{ REDIS_PASSWORD: 'p@:/#%ä' }, 'redis://127.0.0.1:6379/2', `redis://:${encodeURIComponent('p@:/#%ä')}@127.0.0.1:6379/2`],
    [{ REDIS_USERNAME: 'lar ry', REDIS_PASSWORD: 'p' }, 'rediss-sentinel://a:1,b:2/main', 'rediss-sentinel://lar%20ry:p@a:1,b:2/main'],
    [{ REDIS_PASSWORD: 'p' }, 'redis://own:kept@127.0.0.1', 'redis://own:kept@127.0.0.1'],
    [{ REDIS_USERNAME: 'alone' }, 'redis://127.0.0.1', 'redis://127.0.0.1'],
  ])('puts %o as it is into the address %s', (credentials, url, whole) => {
    expect(read({ REDIS_URL: url, ...credentials }).REDIS_URL).toBe(whole);
  });

  it('names every variable that does not fit at once', () => {
    expect(() => read({ PORT: 'x', LARRY_SOURCE: 'y' })).toThrow(/REDIS_URL: .*PORT: .*LARRY_SOURCE: must be live/);
  });

  it('takes an empty variable for one that is not set, as charts and shells leave them', () => {
    expect(read({ ...fine, PORT: '', LARRY_KUBECONFIG: '' })).toMatchObject({ PORT: 8080 });
    expect(() => read({ REDIS_URL: '' })).toThrow(/REDIS_URL/);
  });
});
