import { join } from 'node:path';
import type { KubeObject } from '@larry/contracts';
import { openDump } from './dump';
import { openManifests } from './manifests';
import { memoryCluster } from './memory-cluster';
import { conformanceLog, conformanceObjects, readerConformance } from './reader.conformance';
import { openSnapshot } from './snapshot';
import { writeSnapshot } from './snapshot-write';
import { aFolder, removeFolders } from './testing-folder';

afterAll(removeFolders);

const withStatus = (object: KubeObject): KubeObject =>
  object.kind === 'Pod' && object.metadata.name === 'web-1' && object.metadata.namespace === 'one'
    ? { ...object, status: { phase: 'Running', containerStatuses: [{ name: 'app', restartCount: 0, state: { running: {} } }] } }
    : object;
const memory = () => memoryCluster(conformanceObjects.map(withStatus), { logs: { 'one/web-1/app': conformanceLog } });

readerConformance('memoryCluster', async () => ({ reader: memory() }));

readerConformance('openManifests', async () => {
  const files = Object.fromEntries(conformanceObjects.map((object, i) => [`${i}.json`, JSON.stringify(object)]));
  return { reader: await openManifests(await aFolder(files)), lacks: ['logs'] };
});

readerConformance('openSnapshot', async () => {
  const folder = join(await aFolder(), 'snapshot');
  await writeSnapshot(memory(), folder);
  return { reader: await openSnapshot(folder) };
});

readerConformance('openDump', async () => {
  const list = (kind: string, namespace?: string) =>
    JSON.stringify({
      kind: `${kind}List`,
      apiVersion: 'v1',
      items: conformanceObjects.filter((o) => o.kind === kind && o.metadata.namespace === namespace).map(({ kind: _, apiVersion: __, ...rest }) => rest),
    });
  const files = ['one', 'two'].flatMap((ns) => ['Pod', 'Service', 'Deployment'].map((kind) => [`${ns}/${kind.toLowerCase()}s.json`, list(kind, ns)]));
  const log = `==== START logs for container app of pod one/web-1 ====\n${conformanceLog.join('\n')}\n==== END logs for container app of pod one/web-1 ====\n`;
  const folder = await aFolder({ ...(Object.fromEntries(files) as Record<string, string>), 'nodes.json': list('Node'), 'one/web-1/logs.txt': log });
  return { reader: await openDump(folder), lacks: ['ConfigMap', 'Goose', 'Job'] };
});
