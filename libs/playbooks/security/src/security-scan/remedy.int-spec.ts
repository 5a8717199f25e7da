import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { JsonRecord, KubeObject } from '@larry/contracts';
import { memoryCluster } from '@larry/kube/testing';
import { namespace, scan } from './__fixtures__/scan';
import { breaches } from './rules/pod-security-standards/__fixtures__/breaches';

const kubectl = process.env['KUBECTL'] ?? 'kubectl';
const present = spawnSync(kubectl, ['version', '--client']).status === 0;
if (!present) process.stderr.write('remedies are not tried with kubectl: set KUBECTL, or put it on PATH\n');

/** The real kubectl merges the patch into the object; nothing is contacted. */
function patched(object: KubeObject, type: string, patch: unknown): KubeObject {
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-patch-'));
  try {
    const file = path.join(folder, 'object.json');
    writeFileSync(file, JSON.stringify(object));
    const run = spawnSync(
      kubectl,
      ['patch', '--local', '-f', file, `--type=${type}`, '-p', JSON.stringify(patch), '-o', 'json'],
      { encoding: 'utf8' },
    );
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout) as KubeObject;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function deployment(spec: JsonRecord, metadata: JsonRecord = {}): KubeObject {
  const labels = { app: 'app' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'app', namespace: 'database' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { ...metadata, labels }, spec } },
  };
}

async function remedyOf(object: KubeObject, rule: string) {
  const { findings } = await scan(memoryCluster([namespace('database'), object]));
  return findings.find((f) => f.rule === rule)?.remedy;
}

// kubectl decodes into typed objects: a field that Kubernetes does not know cannot be tried.
const known = breaches.filter((b) => b.what !== 'volume somethingNew');

(present ? describe : describe.skip)('a remedy, applied by the real kubectl', () => {
  it.each(known)('mends $rule: $what', async ({ rule, spec, metadata }) => {
    const object = deployment(spec(), metadata);
    const remedy = await remedyOf(object, rule);
    if (remedy?.layer === 'none') return expect(remedy.reason.length).toBeGreaterThan(20);
    if (remedy?.layer !== 'patch') throw new Error(`a patch was expected, not ${remedy?.layer}`);
    expect(await remedyOf(patched(object, remedy.patchType, remedy.patch), rule)).toBeUndefined();
  });
});
