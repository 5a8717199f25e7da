import { nothingRead } from './nothing-read';

const refused = [{ reason: 'forbidden' }, { reason: 'forbidden' }];

it('skips what could read nothing, with the first reason: not permitted on a cluster, no target in a folder', () => {
  expect(nothingRead('live', 0, refused)).toEqual({ skip: { reason: 'not-permitted', summary: 'nothing could be read: 2 kinds or more are closed (forbidden)' } });
  expect(nothingRead('dump', 0, refused)).toMatchObject({ skip: { reason: 'no-target' } });
});

it('is silent where something was read, and where nothing was refused', () => {
  expect(nothingRead('live', 1, refused)).toEqual({});
  expect(nothingRead('live', 0, [])).toEqual({});
});
