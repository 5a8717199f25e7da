import type { Owner } from '@larry/contracts';
import { aFinding } from '../builders';
import { ownerText, remedyText } from './remedy-text';

it.each<[Owner, string]>([
  [{ kind: 'helm', release: 'r', namespace: 'n', chart: 'c-1' }, 'Helm release n/r (chart c-1)'],
  [{ kind: 'k3s-addon', addon: 'a', source: '/x' }, 'k3s add-on a (/x)'],
  [{ kind: 'controller', ref: { apiVersion: 'v1', kind: 'Node', name: 'n1' } }, 'Node n1'],
  [{ kind: 'manifest', file: 'a.yaml', line: 3 }, 'file a.yaml:3'],
  [{ kind: 'none' }, 'nobody'],
  [{ kind: 'none', lastManager: 'kubectl' }, 'nobody (last written by kubectl)'],
])('says who owns: %j', (owner, text) => {
  expect(ownerText(owner)).toBe(text);
});

it('names the layer that owns the object, and carries the exact change', () => {
  const helm = aFinding({ remedy: { layer: 'helm-value', release: 'r', namespace: 'n', values: 'a: 1\n', command: 'helm upgrade r', note: 'why' } });
  expect(remedyText(helm)).toEqual({ where: 'values of Helm release n/r', body: 'a: 1\n# helm upgrade r', language: 'yaml', note: 'why' });
  expect(remedyText(aFinding({ remedy: { layer: 'manifest', file: 'a.yaml', line: 3, yaml: 'x: y\n' } }))).toMatchObject({ where: 'a.yaml:3', body: 'x: y' });
  const inFile = aFinding({ remedy: { layer: 'manifest', file: 'a.yaml', line: 3, yaml: 'x: y\n', diff: '--- a/a.yaml\n' } });
  expect(remedyText(inFile)).toMatchObject({ where: 'a.yaml:3', body: '--- a/a.yaml', language: 'diff' });
  expect(remedyText(aFinding({ remedy: { layer: 'none', reason: 'a person decides' } }))).toEqual({ where: "no change of Larry's: a person decides" });
});
