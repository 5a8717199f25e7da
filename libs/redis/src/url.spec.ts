import { describeAddress, parseRedisUrl } from './url';

describe('the Redis URL', () => {
  it.each([
    ['redis://localhost', { topology: 'single', tls: false, nodes: [{ host: 'localhost', port: 6379 }], db: 0 }],
    ['rediss://larry:p%40ss@r.example:6380/2', { topology: 'single', tls: true, username: 'larry', password: 'p@ss', nodes: [{ host: 'r.example', port: 6380 }], db: 2 }],
    ['redis://:only@h:1', { username: undefined, password: 'only' }],
    ['redis-sentinel://a:1,b/mymaster/3', { topology: 'sentinel', master: 'mymaster', nodes: [{ host: 'a', port: 1 }, { host: 'b', port: 26379 }], db: 3 }],
    ['redis-sentinel://a/m?sentinelPassword=s', { master: 'm', sentinelPassword: 's' }],
    ['rediss://h:1/2?ca=/etc/ca.pem&cert=/c.pem&key=/k.pem', { tls: true, db: 2, tlsFiles: { ca: '/etc/ca.pem', cert: '/c.pem', key: '/k.pem' } }],
    ['redis-cluster://a:1,[::1]:2', { topology: 'cluster', nodes: [{ host: 'a', port: 1 }, { host: '::1', port: 2 }] }],
  ])('reads %s', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  it.each([
    ['http://x', /must begin with redis:\/\//],
    ['redis://', /host that cannot be read/],
    ['redis://h:99999', /"h:99999" is not host:port/],
    ['redis-sentinel://a:1', /names no master set/],
    ['redis-cluster://a/1', /database 0 only/],
    ['redis://h/x', /must be a whole number/],
    ['redis://u:100%@h', /percent-encoded/],
    ['redis://h?ca=/etc/ca.pem', /needs TLS.*rediss/],
    ['rediss://h?cert=/c.pem', /only one of \?cert= and \?key=/],
  ])('refuses %s with a sentence that says what is wrong', (url, message) => {
    expect(() => parseRedisUrl(url)).toThrow(message);
  });

  it.each(['redis://:sec@ret@h:1', 'redis://:sec/ret@h:1', 'redis://u:123/ret@h:1'])('shows nothing of a password that is not encoded: %s', (url) => {
    const said = errorOf(() => parseRedisUrl(url)).message;
    expect(said).toMatch(/@ as %40/);
    expect(said).not.toMatch(/sec|ret|123/);
  });

  it('is shown to people without credentials', () => {
    expect(describeAddress(parseRedisUrl('redis-sentinel://u:secret@a:1,b:2/m'))).toBe('a:1,b:2 (sentinels of "m")');
  });
});

function errorOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not throw');
}
