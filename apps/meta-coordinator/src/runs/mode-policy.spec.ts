import { modeRefusal } from './mode-policy';

const real = { simulated: false, name: 'prod (https://10.0.0.1)' };

describe('modeRefusal', () => {
  it.each([
    ['observe', real, ['observe'], false],
    ['observe', real, [], false],
    ['ask', real, ['observe'], true],
    ['auto', real, ['observe', 'ask'], true],
    ['ask', real, ['observe', 'ask'], false],
    ['auto', { simulated: true, name: 'a cluster that says it is simulated' }, ['observe'], true],
  ] as const)('mode %s over %j with %j: refused %s', (mode, source, allowed, refused) => {
    expect(modeRefusal(mode, source, allowed) !== undefined).toBe(refused);
  });

  it('says what is protected and which variable allows it', () => {
    expect(modeRefusal('auto', real, ['observe'])).toMatch(/prod \(https:\/\/10\.0\.0\.1\).*LARRY_MODES_ALLOWED=observe,auto/);
  });
});
