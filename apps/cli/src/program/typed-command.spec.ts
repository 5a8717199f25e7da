import { typedCommand } from './typed-command';

describe('a command to type', () => {
  it.each([
    [{}, /^(npx )?larry approve abc$/],
    [{ state: '.larry' }, /^(npx )?larry approve abc$/],
    [{ state: '/tmp/x' }, /^(npx )?larry approve abc --state \/tmp\/x$/],
    [{ state: "a b's" }, /^(npx )?larry approve abc --state 'a b'\\''s'$/],
    [{ state: '/tmp/x', api: 'http://127.0.0.1:8080' }, /^(npx )?larry approve abc --api http:\/\/127\.0\.0\.1:8080$/],
  ])('names where %j is', (address, expected) => expect(typedCommand('approve abc', address)).toMatch(expected));

  it('is npx larry where only npm finds the program', () => {
    const before = process.env['npm_command'];
    process.env['npm_command'] = 'exec';
    try {
      expect(typedCommand('status', {})).toBe('npx larry status');
    } finally {
      if (before === undefined) delete process.env['npm_command'];
      else process.env['npm_command'] = before;
    }
  });
});
