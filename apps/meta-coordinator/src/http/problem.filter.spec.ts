import { BadRequestException, NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import { RedisUnavailableError } from '@larry/redis';
import { ProblemException } from './problem';
import { problemOf } from './problem.filter';

const clusterError = Object.assign(new Error('https://10.0.0.1 refuses the connection'), { name: 'ClusterUnavailableError' });

it.each<[string, unknown, number, unknown]>([
  ['a refusal keeps its details', new ProblemException(409, 'run r is active', { run: 'r' }), 409, { error: 'run r is active', run: 'r' }],
  ["Nest's own refusal becomes one sentence", new NotFoundException('Cannot GET /x'), 404, { error: 'Cannot GET /x' }],
  ['a body that is no JSON', new BadRequestException('Unexpected token'), 400, { error: 'Unexpected token' }],
  ['readiness keeps its checks', new ServiceUnavailableException({ status: 'not ready', checks: { redis: 'away' } }), 503, { status: 'not ready', checks: { redis: 'away' } }],
  ['Redis away', new RedisUnavailableError('Redis at h cannot be reached'), 503, { error: 'Redis at h cannot be reached' }],
  ['the cluster away', clusterError, 503, { error: 'the cluster cannot be read: https://10.0.0.1 refuses the connection' }],
  ['too large a body', Object.assign(new Error('request entity too large'), { status: 413 }), 413, { error: 'the request is larger than 1 MB' }],
])('%s', (_, error, status, body) => {
  expect(problemOf(error)).toMatchObject({ status, body: body as Record<string, unknown> });
});

it('says nothing of an unexpected error to the client', () => {
  const { status, body } = problemOf(new Error('secret path /var/lib/larry'));
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toContain('/var/lib/larry');
  expect(Object.keys(body)).toEqual(['error']);
});
