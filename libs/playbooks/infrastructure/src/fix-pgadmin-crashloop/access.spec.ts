import { collectFacts } from '@larry/diagnosis';
import { builtinKinds } from '@larry/kube';
import { memoryCluster } from '@larry/kube/testing';
import { access, writableKinds } from './access';

const may = (verb: string, group: string, resource: string): boolean => access.some((rule) => (rule.verbs as string[]).includes(verb) && rule.apiGroups.includes(group) && rule.resources.includes(resource));
const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

describe('the rights that are declared', () => {
  it('let every kind be read that the diagnosis reads, but Secrets', async () => {
    const read = new Set<string>();
    const cluster = memoryCluster([]);
    const listed = { ...cluster, list: (...args: Parameters<typeof cluster.list>) => (read.add(`${groupOf(args[0].apiVersion)}/${args[0].kind}`), cluster.list(...args)) };
    await collectFacts(listed);
    expect(read.size).toBeGreaterThan(20);
    const lacking = builtinKinds.filter(({ apiVersion, kind }) => read.has(`${groupOf(apiVersion)}/${kind}`) && kind !== 'Secret').filter(({ apiVersion, resource }) => !may('list', groupOf(apiVersion), resource));
    expect(lacking.map((k) => k.resource)).toEqual([]);
    expect(may('list', '', 'secrets')).toBe(false);
  });

  it('let every kind be read that may be changed, and name its fields', () => {
    for (const { group, resource, fields } of Object.values(writableKinds)) {
      expect(may('get', group, resource) && may('patch', group, resource)).toBe(true);
      expect(fields.length).toBeGreaterThan(0);
    }
  });
});
