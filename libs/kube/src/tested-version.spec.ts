import { versionWarnings } from './tested-version';

it.each([
  ['v1.36.2', []],
  ['v1.35.4+k3s1', []],
  ['v2.0.0', []],
  [undefined, []],
  ['v1.34.9', [expect.stringContaining('v1.34.9, older than 1.35')]],
  ['v1.30.0', [expect.stringContaining('begin with mode observe')]],
  ['v1.29.15-eks', [expect.stringContaining('the charts need 1.30')]],
])('an API server %s is warned of where it is older than what is tested', (serverVersion, warnings) => {
  expect(versionWarnings(serverVersion === undefined ? {} : { serverVersion })).toEqual(warnings);
});
