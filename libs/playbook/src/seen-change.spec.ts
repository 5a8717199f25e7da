import { changeAnnotation } from '@larry/contracts';
import { memoryCluster } from '@larry/kube/testing';
import { seenChange } from './seen-change';

const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'database', name: 'pgadmin' };
const id = 'run-1/repair/set-email';
const object = (mark?: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'pgadmin', namespace: 'database', ...(mark ? { annotations: { [changeAnnotation]: mark } } : {}) } });

describe('whether a change that was begun was made is seen at its object', () => {
  it.each([
    ['patch', [object(id)], 'made: Deployment database/pgadmin carries its mark'],
    ['patch', [object()], 'not made: Deployment database/pgadmin does not carry its mark'],
    ['patch', [object('run-1/other/step')], 'not made: Deployment database/pgadmin does not carry its mark'],
    ['patch', [object('run-2/repair/set-email')], 'not known: Deployment database/pgadmin carries the mark of another run, run-2/repair/set-email'],
    ['patch', [], 'not known: Deployment database/pgadmin is not there any more'],
    ['create', [object(id)], 'made: Deployment database/pgadmin carries its mark'],
    ['create', [], 'not made: Deployment database/pgadmin is not there'],
    ['delete', [], 'made: Deployment database/pgadmin is gone'],
    ['delete', [object()], 'not made: Deployment database/pgadmin is there'],
  ])('%s of %j: %s', async (verb, objects, sentence) => {
    expect(await seenChange(memoryCluster(objects), { id, verb, target })).toBe(sentence);
  });

  it('does not look at the object for a branch: it is not there that it was made', async () => {
    expect(await seenChange(memoryCluster([object(id)]), { id, verb: 'git-branch', target, branch: 'larry/x' })).toBe('not known: it is a branch of the repository: git log -1 larry/x shows it where it was made');
  });

  it('says why it cannot be told where the object cannot be read', async () => {
    const closed = { get: async () => Promise.reject(new Error('https://10.0.0.1 refuses the connection')) };
    expect(await seenChange(closed, { id, verb: 'patch', target })).toBe('not known: Deployment database/pgadmin cannot be read (https://10.0.0.1 refuses the connection)');
  });
});
