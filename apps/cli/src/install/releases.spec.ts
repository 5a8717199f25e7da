import { existsSync } from 'node:fs';
import { chartOf, releases, upgradeArguments, valuesOf, type InstallChoices } from './releases';

const choices: InstallChoices = { images: 'registry.example/larry', writeNamespaces: [], repairHelm: [], modes: ['observe'], values: [] };
const custom = [{ apiGroup: 'cert-manager.io', resources: ['certificates'] }];

it.each(releases)('the chart of %s is there', (release) => expect(existsSync(chartOf(release))).toBe(true));

it('a read-only installation asks for no storage and no right to write', () => {
  for (const release of releases) expect(JSON.stringify(valuesOf(release, choices, []))).not.toMatch(/storage|writeNamespaces|repair/);
});

it('only Larry-01 may write, and what writes or approves keeps its audit log', () => {
  const writing = { ...choices, writeNamespaces: ['database'], modes: ['observe', 'ask'], storageSize: '1Gi' };
  expect(valuesOf('larry-01', writing, custom)).toMatchObject({ rbac: { writeNamespaces: ['database'] }, storage: { size: '1Gi' } });
  expect(valuesOf('larry-02', writing, custom)).toEqual({ image: { repository: 'registry.example/larry/larry-02' } });
  expect(valuesOf('meta-coordinator', writing, custom)).toMatchObject({ modesAllowed: ['observe', 'ask'], storage: { size: '1Gi' }, rbac: { customResources: custom } });
});

it('only Larry-01 repairs through Helm, where it was named and nowhere by default', () => {
  const repairing = { ...choices, repairHelm: ['shop'], storageSize: '1Gi' };
  expect(valuesOf('larry-01', repairing, custom)).toMatchObject({ repair: { helm: { namespaces: ['shop'] } }, storage: { size: '1Gi' } });
  for (const release of releases.filter((name) => name !== 'larry-01')) expect(valuesOf(release, repairing, custom)).not.toHaveProperty('repair');
  expect(valuesOf('larry-01', choices, custom)).not.toHaveProperty('repair');
});

it('never puts the address of Redis, which may hold a password, into values', () => {
  for (const release of releases) expect(JSON.stringify(valuesOf(release, { ...choices, redisUrl: 'redis://:canary@redis' }, []))).not.toContain('canary');
});

it("the operator's own values come last, so that they win", () => {
  expect(upgradeArguments('larry-02', 'ours.yaml', { ...choices, singleNode: true, values: ['/mine.yaml'] }).slice(-2)).toEqual(['--values', '/mine.yaml']);
});
