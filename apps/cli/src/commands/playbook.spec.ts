import { playbookLibraries } from '../playbook-libraries';
import { runOne } from './playbook';

describe('larry playbook run', () => {
  const notBuilt = playbookLibraries.flatMap((library) => library.notBuilt);

  it.each(notBuilt)('of $id, which is not built, says why and what to use instead', async ({ id, why, instead }) => {
    await expect(runOne(id, { dump: '/nowhere' })).rejects.toThrow(`${id} cannot be run: ${why}. Instead: ${instead ?? 'larry playbook list shows what is built'}`);
  });

  it('of a task that nobody knows says where they are listed, without its escapes', async () => {
    await expect(runOne('brew\u001b[31m', { dump: '/nowhere' })).rejects.toThrow('there is no playbook "brew"; larry playbook list shows them');
  });
});
