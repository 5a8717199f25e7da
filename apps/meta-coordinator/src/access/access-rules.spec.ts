import { createHash } from 'node:crypto';
import { isLoopback, judgeAccess, type AccessRequest } from './access-rules';
import { tokenBook } from './tokens';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const tokens = tokenBook([
  ['ada', sha256('ada-token')],
  ['ben', sha256('ben-token')],
]);
const read: AccessRequest = { method: 'GET', path: '/runs/current', host: '127.0.0.1:8080' };
const change: AccessRequest = { method: 'POST', path: '/runs', host: 'localhost:8080' };

describe('judgeAccess', () => {
  it.each<[string, string, AccessRequest, boolean, unknown]>([
    ['lets anybody on this machine read', '127.0.0.1', read, true, undefined],
    ['lets nobody change without a token', '127.0.0.1', change, false, 401],
    ['names the bearer of a token', '127.0.0.1', { ...change, authorization: 'Bearer ben-token' }, true, 'ben'],
    ['refuses an unknown token', '127.0.0.1', { ...change, authorization: 'Bearer eve-token' }, false, 401],
    ['refuses another scheme', '127.0.0.1', { ...change, authorization: `Basic ${sha256('ada-token')}` }, false, 401],
    ['refuses the hash in place of the token', '127.0.0.1', { ...change, authorization: `Bearer ${sha256('ada-token')}` }, false, 401],
    ['refuses a name that a web page led here', '127.0.0.1', { ...read, host: 'evil.example:8080' }, false, 403],
    ['refuses that name with a good token as well', '127.0.0.1', { ...change, host: 'localhost.evil.example', authorization: 'Bearer ada-token' }, false, 403],
    ['refuses a request without a host', '127.0.0.1', { ...read, host: undefined }, false, 403],
    ['knows IPv6 loopback', '::1', { ...read, host: '[::1]:8080' }, true, undefined],
    ['lets nobody read from elsewhere without a token', '0.0.0.0', { ...read, host: 'meta.larry:8080' }, false, 401],
    ['lets a bearer read from elsewhere', '0.0.0.0', { ...read, host: 'meta.larry', authorization: 'bearer ada-token' }, true, 'ada'],
    ['lets kubelet probe from elsewhere', '0.0.0.0', { ...read, path: '/readyz', host: '10.42.0.7:8080' }, true, undefined],
    ['takes no probe path for a change', '0.0.0.0', { ...change, path: '/readyz' }, false, 401],
  ])('%s', (_, listen, request, pass, outcome) => {
    const verdict = judgeAccess({ listen, tokens }, request);
    expect(verdict.pass).toBe(pass);
    expect(verdict.pass ? verdict.who : verdict.status).toBe(outcome);
  });

  it('lets nobody change anything where no tokens are configured, and says which variable', () => {
    const verdict = judgeAccess({ listen: '127.0.0.1' }, { ...change, authorization: 'Bearer ada-token' });
    expect(verdict).toMatchObject({ pass: false, status: 401, reason: expect.stringContaining('LARRY_TOKENS_FILE') as string });
  });
});

it.each([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['127.evil.example', false],
  ['', false],
])('isLoopback(%j) is %s', (address, expected) => expect(isLoopback(address)).toBe(expected));
