import { UnknownKindError } from '@larry/kube';
import { UserError } from '../user-error';
import { namingRights } from './rights';

it('names the right that is missing and what to do', async () => {
  const refused = namingRights(() => Promise.reject(new UnknownKindError('Secret', 'forbidden: User "ada" cannot get resource "secrets" in API group "" in the namespace "larry-01"')));
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(/larry install needs \(Secret: forbidden: .*cannot get resource "secrets".*"larry-01"\): run it as an administrator/);
});

it('leaves other failures as they are', async () => {
  await expect(namingRights(() => Promise.reject(new RangeError('ours')))).rejects.toThrow(RangeError);
});
