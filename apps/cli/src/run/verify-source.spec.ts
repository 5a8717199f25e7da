import { memoryCluster } from '@larry/kube/testing';
import { aSummary } from '../../test/builders';
import type { SourceOptions } from '../sources';
import { exitCodes } from '../user-error';
import { openReported } from './verify-source';

const simulated = { type: 'live', name: 'larry-sim (http://127.0.0.1:1)', simulated: true } as const;
const summary = aSummary({ source: simulated });
const options = { state: '/nowhere/larry' };
const opens = (source: Parameters<typeof memoryCluster>[1] = {}) => jest.fn(async (_: SourceOptions) => memoryCluster([], source));

let err = '';
const withKubeconfig = (KUBECONFIG?: string) => {
  const { KUBECONFIG: _, ...env } = process.env;
  jest.replaceProperty(process, 'env', KUBECONFIG === undefined ? env : { ...env, KUBECONFIG });
};
beforeEach(() => {
  err = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});
afterEach(() => jest.restoreAllMocks());

describe('the source that larry verify opens for a run on a simulated cluster', () => {
  it('is the simulation that KUBECONFIG names, where no run keeps one', async () => {
    withKubeconfig('/sim/kubeconfig');
    const open = opens({ source: simulated });
    expect((await openReported(summary, options, open)).source.simulated).toBe(true);
    expect(open).toHaveBeenCalledWith({});
    expect(err).toBe('');
  });

  it('is said to be another simulation where its name differs', async () => {
    withKubeconfig('/sim/kubeconfig');
    await openReported(summary, options, opens({ source: { ...simulated, name: 'another' } }));
    expect(err).toContain('this is the simulation another, and the report speaks of larry-sim');
  });

  it('is never a real cluster: that one is closed and named, with what to give', async () => {
    withKubeconfig('/prod/kubeconfig');
    const cluster = memoryCluster([], { source: { name: 'prod' } });
    const close = jest.spyOn(cluster, 'close');
    await expect(openReported(summary, options, async () => cluster)).rejects.toMatchObject({ exitCode: exitCodes.unreachable, message: expect.stringMatching(/not at hand \(KUBECONFIG names live prod\); where it is up still, give --kubeconfig;.*report --state/) });
    expect(close).toHaveBeenCalled();
  });

  it('is not looked for elsewhere: without KUBECONFIG nothing is opened', async () => {
    withKubeconfig();
    const open = opens({ source: simulated });
    await expect(openReported(summary, options, open)).rejects.toThrow('give --kubeconfig');
    expect(open).not.toHaveBeenCalled();
  });

  it('is gone where KUBECONFIG names one that does not answer', async () => {
    withKubeconfig('/sim/kubeconfig');
    await expect(openReported(summary, options, async () => Promise.reject(new Error('connection refused')))).rejects.toThrow(/not at hand \(connection refused\).*give --kubeconfig/);
  });

  it('is the one that --kubeconfig names, and no real one', async () => {
    const given = { ...options, kubeconfig: './sim.yaml' };
    await expect(openReported(summary, given, opens({ source: simulated }))).resolves.toBeDefined();
    await expect(openReported(summary, given, opens({ source: { name: 'prod' } }))).rejects.toThrow('the report speaks of the SIMULATED cluster, and this is live prod');
  });
});

it('is for a run on a real cluster the cluster of that name alone', async () => {
  const real = aSummary({ source: { type: 'live', name: 'prod', simulated: false } });
  await expect(openReported(real, options, opens({ source: { name: 'prod' } }))).resolves.toBeDefined();
  await expect(openReported(real, options, opens({ source: { name: 'test' } }))).rejects.toThrow('the report speaks of live prod, and this is live test');
});
