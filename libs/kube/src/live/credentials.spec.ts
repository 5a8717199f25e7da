import { ClusterUnavailableError } from '../errors';
import { Credentials } from './credentials';
import type { Target } from './kubeconfig';

function access(server: string, user: Partial<NonNullable<Target['user']>> | undefined, proxyUrl?: string) {
  const target: Target = { cluster: { name: 'c', server, skipTLSVerify: false, ...(proxyUrl ? { proxyUrl } : {}) }, user: user && { name: 'u', ...user }, context: 'test' };
  const credentials = new Credentials(target);
  return credentials.access().finally(() => credentials.close());
}

describe('credentials without TLS', () => {
  it.each([
    ['a token', 'http://10.0.0.1:8080', { token: 't' }, 'a token or password'],
    ['a password', 'http://api.example', { username: 'u', password: 'p' }, 'a token or password'],
    ['a client certificate', 'http://api.example', { certData: 'eA==', keyData: 'eA==' }, 'a client certificate'],
    ['a token to a name that begins like loopback', 'http://127.0.0.1.example', { token: 't' }, 'a token or password'],
  ])('are refused: %s', async (_, server, user, what) => {
    await expect(access(server, user)).rejects.toBeInstanceOf(ClusterUnavailableError);
    await expect(access(server, user)).rejects.toThrow(`${server} is not encrypted, and this context has ${what} that anybody on the way could read`);
  });

  it.each(['http://127.0.0.1:8080', 'http://127.1', 'http://localhost:8001', 'http://[::1]:8001', 'https://api.example'])('go to %s', async (server) => {
    expect((await access(server, { token: 't' })).headers).toEqual({ Authorization: 'Bearer t' });
  });

  it('are refused on loopback when a proxy takes them elsewhere', async () => {
    await expect(access('http://127.0.0.1:8080', { token: 't' }, 'http://proxy.example:3128')).rejects.toThrow('is not encrypted');
  });

  it('are no concern where there are none', async () => {
    expect((await access('http://api.example', undefined)).headers).toEqual({});
  });
});
