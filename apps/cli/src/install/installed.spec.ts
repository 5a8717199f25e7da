import { UserError } from '../user-error';
import { installedBefore, rightsLine } from './installed';

const helm = (values: Record<string, unknown>) => ({
  run: (args: readonly string[]) => (args[2] as string) in values ? Promise.resolve(JSON.stringify(values[args[2] as string])) : Promise.reject(new UserError(`helm get values ${args[2]}: release: not found`)),
});

it('shows what a second installation takes away', async () => {
  const before = await installedBefore(helm({ 'meta-coordinator': { modesAllowed: ['observe', 'ask'] }, 'larry-01': { rbac: { writeNamespaces: ['database'] } } }));
  expect(rightsLine({ writeNamespaces: [], repairHelm: [], modes: ['observe'] }, before)).toBe('nothing (was: database); runs may be: observe (was: observe, ask)');
  expect(rightsLine({ writeNamespaces: ['database'], repairHelm: [], modes: ['ask', 'observe'] }, before)).toBe("what larry-01's playbooks declare, in database; runs may be: ask, observe");
});

it('says what repairs through Helm cost, and what is taken away again', async () => {
  const before = await installedBefore(helm({ 'meta-coordinator': {}, 'larry-01': { repair: { helm: { namespaces: ['shop'] } } } }));
  expect(rightsLine({ writeNamespaces: [], repairHelm: ['shop', 'db'], modes: ['observe'] }, before)).toBe('nothing; repairs through Helm: Helm releases in shop, db (larry-01 then reads every Secret there) (was: shop); runs may be: observe');
  expect(rightsLine({ writeNamespaces: [], repairHelm: [], modes: ['observe'] }, before)).toBe('nothing; repairs through Helm: none (was: shop); runs may be: observe');
});

it('knows the charts\' own values where none were given, and nothing where there is no release', async () => {
  expect(await installedBefore(helm({ 'meta-coordinator': null, 'larry-01': null }))).toEqual({ modes: ['observe'], writeNamespaces: [], repairHelm: [] });
  expect(await installedBefore(helm({}))).toEqual({});
  await expect(installedBefore({ run: () => Promise.reject(new UserError('helm get values: forbidden')) })).rejects.toThrow('forbidden');
});
