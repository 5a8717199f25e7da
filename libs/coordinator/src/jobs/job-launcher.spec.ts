import type { LiveCluster, WriteOutcome } from '@larry/kube';
import { JobLauncher } from './job-launcher';
import type { JobTemplate } from './job-template';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const template = { job: { spec: { template: { spec: { containers: [{ name: 'worker', image: 'larry-01' }] } } } }, container: 'worker', graceMs: 5000, file: 'job.yaml' } as unknown as JobTemplate;

/** A cluster that answers every creation so. */
const answering = (outcome: WriteOutcome): LiveCluster => ({ writer: () => ({ create: async () => outcome }), close: async () => undefined }) as unknown as LiveCluster;

describe('a coordinator whose Jobs are refused does not start, and says what to do', () => {
  it.each<[string, number, string, RegExp]>([
    ['a namespace that is being deleted', 403, 'jobs.batch "x" is forbidden: unable to create new content in namespace larry-01 because it is being terminated', /^the namespace larry-01 is being deleted, .*: wait until it is gone \(kubectl get namespace larry-01\), then install again$/],
    ['a namespace that is not there', 404, 'namespaces "larry-01" not found', /^the namespace larry-01 is not there: make it \(kubectl create namespace larry-01\)/],
    ['an expired token', 401, 'Unauthorized', /refused \(401\): the coordinator's token has expired or is no longer valid; its ServiceAccount must be there/],
    ['a missing right', 403, 'jobs.batch is forbidden: User "x" cannot create resource "jobs"', /the coordinator's account needs the Role of larry's charts there/],
    ['a template with a fault', 422, 'Job is invalid: spec.template', /mend the template that LARRY_JOB_TEMPLATE names$/],
  ])('%s', async (_, status, message, sentence) => {
    const opened = JobLauncher.open({ larry: 'larry-01', template, namespace: 'larry-01', cluster: answering({ outcome: 'refused', status, message }), log, nodeAffinity: 'preferred', env: {} });
    await expect(opened).rejects.toThrow(sentence);
  });
});
