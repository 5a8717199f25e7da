import { appendFileSync, closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KubeObject } from '@larry/contracts';
import { collectFacts, diagnose, type DiagnosisReport } from '@larry/diagnosis';
import { openDump, openSnapshot, writeSnapshot, type ClusterReader } from '@larry/kube';
import { cases } from './cases';
import { Chance } from './cluster/chance';
import type { World } from './cluster/cluster';
import { writeDump } from './dump';
import { readerOf } from './given';

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function aFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-eval-bad-'));
  folders.push(folder);
  return path.join(folder, 'cluster');
}

function worldOf(id: string): World {
  const found = cases.find((one) => one.id === id);
  if (!found) throw new Error(`no case ${id}`);
  return found.build();
}

async function read(reader: ClusterReader): Promise<DiagnosisReport> {
  return diagnose(await collectFacts(reader));
}

async function ofDump(world: World, damage: (folder: string) => void): Promise<DiagnosisReport> {
  const folder = aFolder();
  writeDump(world, folder);
  damage(folder);
  return read(await openDump(folder));
}

async function ofSnapshot(world: World, damage: (folder: string) => void): Promise<DiagnosisReport> {
  const folder = aFolder();
  await writeSnapshot(readerOf('bad', world), folder);
  damage(folder);
  return read(await openSnapshot(folder));
}

const causes = ({ findings }: DiagnosisReport) => findings.map(({ cause, kind, namespace, name }) => `${cause} ${kind} ${namespace}/${name}`);
const unknowns = ({ unknowns: list }: DiagnosisReport) => list.map(({ subject, reason }) => `${subject}: ${reason}`).join('\n');
const faulty = 'missing_config_map/deployment-shop-pricing';
const wanted = 'missing_config_map Deployment shop/pricing';
const crash = 'application_error/deployment-shop-promotions';

describe('bad input', () => {
  it('of whole files is the measure: a dump and a snapshot give the cause', async () => {
    expect(causes(await ofDump(worldOf(faulty), () => undefined))).toEqual([wanted]);
    expect(causes(await ofSnapshot(worldOf(faulty), () => undefined))).toEqual([wanted]);
  });

  it('that is cut off is named, and hides no fault elsewhere', async () => {
    const report = await ofDump(worldOf(faulty), (folder) => truncateSync(path.join(folder, 'kube-system', 'pods.json'), 900));
    expect(causes(report)).toContain(wanted);
    expect(unknowns(report)).toMatch(/kube-system/);
  });

  it('that is cut off where the fault was is never "healthy"', async () => {
    const report = await ofDump(worldOf(faulty), (folder) => truncateSync(path.join(folder, 'shop', 'pods.json'), 300));
    expect(unknowns(report) + causes(report).join('')).toMatch(/shop|pods/);
    expect(report.unknowns.length).toBeGreaterThan(0);
  });

  it('that is no JSON is named, and hides no fault elsewhere', async () => {
    const report = await ofDump(worldOf(faulty), (folder) => writeFileSync(path.join(folder, 'kube-system', 'deployments.json'), 'Error from server (Forbidden): deployments.apps is forbidden\n'));
    expect(causes(report)).toContain(wanted);
    expect(unknowns(report)).toMatch(/kube-system/);
  });

  it('of kinds that nobody knows is passed over', async () => {
    const world = worldOf(faulty);
    const odd = (kind: string): KubeObject => ({ apiVersion: 'example.com/v9', kind, metadata: { name: 'odd', namespace: 'shop', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'nobody', uid: '0' }] }, spec: 7, status: 'fine' });
    expect(causes(await ofSnapshot({ ...world, objects: [odd('Gizmo'), odd('Pods'), ...world.objects] }, () => undefined))).toEqual([wanted]);
  });

  it('of pods without status, spec or labels is no crash, and hides no fault elsewhere', async () => {
    const world = worldOf(faulty);
    expect(causes(await read(readerOf('bare', { ...world, objects: [...world.objects, ...barePods] })))[0]).toBe(wanted);
  });

  it('of pods without status, spec or labels is named, and accuses nobody', async () => {
    const world = worldOf('healthy/plain');
    const report = await read(readerOf('bare', { ...world, objects: [...world.objects, ...barePods] }));
    expect(causes(report).filter((cause) => !cause.includes('bare/'))).toEqual([]);
    for (const { metadata } of barePods) expect(`${unknowns(report)}\n${causes(report).join('\n')}`).toContain(`bare/${metadata.name}`);
  });

  it('of clocks that disagree keeps the cause', async () => {
    const world = worldOf(faulty);
    const ahead = new Date(Date.parse(world.takenAt) + 9 * 3_600_000).toISOString();
    const objects = world.objects.map((object) => (object.kind === 'Event' ? { ...object, lastTimestamp: ahead, firstTimestamp: ahead } : object));
    const odd = objects.map((object, index) => (object.kind === 'Pod' && index % 3 === 0 ? { ...object, metadata: { ...object.metadata, creationTimestamp: 'yesterday' } } : object));
    expect(causes(await read(readerOf('clocks', { ...world, objects: odd })))).toEqual([wanted]);
  });

  it('of binary logs keeps the cause', async () => {
    const noise = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 256));
    const report = await ofSnapshot(worldOf(faulty), (folder) => logsOf(folder).forEach((file) => writeFileSync(file, noise)));
    expect(causes(report)).toEqual([wanted]);
  });

  it('of a log of 100 MB reads its end, and not all of it into memory', async () => {
    const report = await ofSnapshot(worldOf(crash), (folder) => {
      const [file = ''] = logsOf(folder).filter((one) => one.includes('promotions'));
      const last = readFileSync(file);
      writeLarge(file, 100 * 1024 * 1024);
      appendFileSync(file, last);
    });
    expect(causes(report)).toEqual(['application_error Deployment shop/promotions']);
  });

  it('of ten thousand events for one object keeps the cause, and the time', async () => {
    const world = worldOf(faulty);
    const [event] = world.objects.filter(({ kind, ...object }) => kind === 'Event' && object['reason'] === 'Failed');
    const many = Array.from({ length: 10_000 }, (_, i) => ({ ...event, metadata: { ...event?.metadata, name: `again-${i}`, uid: `again-${i}` } }) as KubeObject);
    const began = performance.now();
    expect(causes(await read(readerOf('events', { ...world, objects: [...world.objects, ...many] })))).toEqual([wanted]);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('of owners in a circle ends', async () => {
    const world = worldOf(faulty);
    const ring = ['a', 'b', 'c'].map((name, index, names) => {
      const next = names[(index + 1) % names.length] ?? 'a';
      return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name, namespace: 'ring', uid: `ring-${name}`, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: next, uid: `ring-${next}`, controller: true }] }, spec: { replicas: 1, selector: { matchLabels: { app: name } } }, status: { replicas: 0 } };
    });
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'ringed', namespace: 'ring', uid: 'ringed', ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: 'ring-a', controller: true }] }, spec: { containers: [] }, status: { phase: 'Pending' } };
    expect(causes(await read(readerOf('ring', { ...world, objects: [...world.objects, ...ring, pod] })))).toContain(wanted);
  });

  it('of any field turned into something else never throws', async () => {
    const sample = cases.filter((_, index) => index % 12 === 0);
    for (const one of sample) {
      const world = one.build();
      const chance = new Chance(`spoilt ${one.id}`);
      const spoilt = (JSON.parse(JSON.stringify(world.objects)) as KubeObject[]).map((object) => spoil(object, chance));
      await expect(read(readerOf(one.id, { ...world, objects: spoilt }))).resolves.toBeDefined();
    }
  });
});

function bare(name: string, fields: object): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'bare' }, ...fields };
}

const barePods = [bare('none', {}), bare('null', { spec: null, status: null }), bare('odd', { spec: { containers: 'x' }, status: { containerStatuses: {}, conditions: 'y' } })];

function logsOf(folder: string): string[] {
  return readdirSync(path.join(folder, 'logs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

function writeLarge(file: string, bytes: number): void {
  const block = Buffer.from(`INFO ${'nothing of interest '.repeat(50)}\n`.repeat(1_000));
  const handle = openSync(file, 'w');
  for (let written = 0; written < bytes; written += block.length) writeSync(handle, block);
  closeSync(handle);
}

/** Replaces a field at random below `spec`, `status` or another top field; apiVersion, kind and name stay, as every reader checks them. */
function spoil(object: KubeObject, chance: Chance): KubeObject {
  const tops = Object.keys(object).filter((key) => !['apiVersion', 'kind', 'metadata'].includes(key));
  if (tops.length === 0) return object;
  let at: Record<string, unknown> = object;
  let key = chance.pick(tops);
  for (let depth = chance.int(0, 5); depth > 0; depth -= 1) {
    const next = at[key];
    if (typeof next !== 'object' || next === null || Object.keys(next).length === 0) break;
    at = next as Record<string, unknown>;
    key = chance.pick(Object.keys(at));
  }
  at[key] = chance.pick<unknown>([null, 'x', -1, [], {}, [null], { a: { b: 1 } }, '9'.repeat(400)]);
  return object;
}
