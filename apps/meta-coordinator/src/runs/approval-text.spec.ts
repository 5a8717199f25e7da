import { digestOfRequest } from '@larry/playbook';
import { aRequest } from '../../test/builders';
import { approvalText, unfitting } from './approval-text';

const asked = aRequest();
const digest = digestOfRequest(asked);
const [first] = asked.changes;

describe('the text of an approval', () => {
  it('is made of what the digest covers, and not of the summary beside it', () => {
    const said = approvalText(digest, { ...asked, summary: 'Nothing to see here' });
    expect(said).toMatchObject({ asks: { summary: 'Set the e-mail address', objects: ['Deployment database/pgadmin'] } });
    expect(JSON.stringify(said)).not.toContain('Nothing to see');
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no request', { change: { diff: '+ harmless' } }],
    ['no change', { ...asked, changes: [] }],
    ['another patch', aRequest({ patch: [] })],
    ['another object', aRequest({ target: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' } })],
    ['another uid', { ...asked, changes: [{ ...first, uid: 'u2' }] }],
    ['another observation', { ...asked, changes: [{ ...first, observed: [['/spec/email', 'z']] }] }],
    ['a change more', { ...asked, changes: [first, first] }],
    ['a member more', { ...asked, diff: '+ harmless' }],
  ])('is not there for %s', (_, request) => expect(approvalText(digest, request)).toEqual({ problem: unfitting }));
});
