import { createHash } from 'node:crypto';
import { listOf, numberOf, printable, recordOf, redactText, textOf, valueIn, type KubeObject } from '@larry/contracts';
import { decodeHelmRelease } from '@larry/kube';

/** What one of Helm's release records says. */
export interface RecordFacts {
  /** `Secret namespace/sh.helm.release.v1.web.v3`. */
  id: string;
  storage: 'Secret' | 'ConfigMap';
  namespace: string;
  name: string;
  revision: number;
  /** By its content; by its label where that cannot be read. */
  status: string;
  /** The label, which `helm list` selects by. */
  labelStatus: string;
  digest: string;
  /** Absent when the record cannot be decoded. */
  release?: {
    chart: string;
    chartVersion: string;
    appVersion: string;
    updatedAt?: string;
    description?: string;
    valueKeys: string[];
    manifestObjects: number;
    hooks: number;
  };
}

const maxKeys = 100;

/** Reads one record. The content is untrusted; a release of another name than its record is not believed. */
export function recordFacts(object: KubeObject): RecordFacts {
  const { name, namespace = '', labels } = object.metadata;
  const label = (key: string) => printable(valueIn(labels, key) ?? '', 200);
  const stored = textOf(valueIn(object, 'data', 'release')) ?? '';
  const release = decodeHelmRelease(object);
  const believed = release && textOf(release['name']) !== undefined && numberOf(release['version']) !== undefined ? release : undefined;
  const fromName = /^sh\.helm\.release\.v1\.(.+)\.v(\d+)$/.exec(name);
  const labelStatus = label('status') || 'unknown';
  return {
    id: printable(`${object.kind} ${namespace}/${name}`, 600),
    storage: object.kind === 'ConfigMap' ? 'ConfigMap' : 'Secret',
    namespace: printable(namespace, 260),
    name: printable(believed?.['name'] ?? (label('name') || fromName?.[1] || name), 260),
    revision: numberOf(believed?.['version']) ?? (Number(label('version') || fromName?.[2]) || 0),
    status: printable(valueIn(believed, 'info', 'status') ?? labelStatus, 60),
    labelStatus,
    digest: createHash('sha256').update(stored).digest('hex').slice(0, 16),
    ...(believed ? { release: contentOf(believed) } : {}),
  };
}

function contentOf(release: Record<string, unknown>): RecordFacts['release'] {
  const chart = recordOf(valueIn(release, 'chart', 'metadata'));
  const info = recordOf(release['info']);
  const description = textOf(info['description']);
  const updatedAt = textOf(info['last_deployed']);
  return {
    chart: printable(chart['name'] ?? 'unknown', 200),
    chartVersion: printable(chart['version'] ?? 'unknown', 100),
    appVersion: printable(chart['appVersion'] ?? 'unknown', 100),
    ...(updatedAt && !Number.isNaN(Date.parse(updatedAt)) ? { updatedAt: new Date(updatedAt).toISOString() } : {}),
    ...(description ? { description: printable(redactText(description.slice(0, 4000)), 400) } : {}),
    valueKeys: valueKeys(release['config']),
    manifestObjects: manifestObjects(textOf(release['manifest']) ?? ''),
    hooks: listOf(release['hooks']).length,
  };
}

/** Paths of leaves, breadth first: `auth.password`. A list is one leaf. */
export function valueKeys(values: unknown): string[] {
  const keys: string[] = [];
  const queue: [string, unknown][] = Object.entries(recordOf(values));
  for (let at = 0; at < queue.length && at < 5000 && keys.length < maxKeys; at++) {
    const [path, value] = queue[at] as [string, unknown];
    const members = Object.entries(recordOf(value));
    if (members.length === 0) keys.push(printable(path, 200));
    else if (queue.length < 5000) queue.push(...members.map(([key, v]): [string, unknown] => [`${path}.${key}`, v]));
  }
  return keys.sort();
}

/** Documents of a manifest that are objects: comments and empty documents are none. */
export function manifestObjects(manifest: string): number {
  return manifest.split(/^---[ \t]*(?:#.*)?$/m).filter((document) => /^kind:[ \t]*\S/m.test(document)).length;
}
