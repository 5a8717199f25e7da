import { auditRecordSchema, type AuditRecord } from '@larry/audit';
import { printable } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import { changeId, seenChange } from '@larry/playbook';
import { existsSync, readFileSync } from 'node:fs';

/** A cluster as far as objects are looked up in it. */
type Looked = Pick<ClusterReader, 'get' | 'kinds' | 'close'>;

/**
 * What became of each change that a run had begun, a line each: by the audit log, and where that has no end of it by the
 * object. For a run whose state is lost. Empty where nothing was begun. Never throws.
 */
export async function begunChangeLines(log: string, run: string, openCluster: () => Promise<Looked>): Promise<string[]> {
  const last = new Map<string, AuditRecord>();
  for (const record of changesIn(log, run)) last.set(`${record.task}/${record.step}`, record);
  if (last.size === 0) return [];
  const cluster = await openCluster().catch((error: unknown) => unreadable(error));
  try {
    const kinds = await cluster.kinds().catch(() => []);
    return await Promise.all([...last].map(async ([name, record]) => `${printable(name, 200)}: ${await becameOf(record, run, cluster, kinds)}`));
  } finally {
    await cluster.close();
  }
}

async function becameOf(record: AuditRecord, run: string, cluster: Looked, kinds: readonly { apiVersion: string; kind: string }[]): Promise<string> {
  const described = String(record.details?.['target'] ?? 'an object that the log does not name');
  if (record.action !== 'change_intended') return `${printable(described, 300)}: ${record.action.replace(/^change_/, '').replaceAll('_', ' ')}, by the audit log`;
  const [, kind = '', namespace, name = ''] = /^(\S+) (?:([^/\s]+)\/)?(\S+)$/.exec(described) ?? [];
  const apiVersion = kinds.find((k) => k.kind === kind)?.apiVersion;
  if (!apiVersion) return `not known: the audit log says that it was begun, and ${printable(described, 300)} cannot be looked at`;
  const target = { apiVersion, kind, ...(namespace ? { namespace } : {}), name };
  // The log does not name the verb: without a mark only a patch is certain, and a patch is what playbooks make.
  const { verb, branch } = record.details ?? {};
  const inGit = typeof branch === 'string' ? { verb: 'git-branch', branch } : undefined;
  return seenChange(cluster, { id: changeId(run, record.task ?? '', record.step ?? ''), verb: typeof verb === 'string' ? verb : 'patch', target, ...inGit });
}

/** The records of this run's changes, in their order; a line that is none is no reason to keep quiet about the others. */
function changesIn(log: string, run: string): AuditRecord[] {
  if (!existsSync(log)) return [];
  return readFileSync(log, 'utf8').split('\n').flatMap((line) => {
    const parsed = auditRecordSchema.safeParse(jsonOf(line));
    return parsed.success && parsed.data.run === run && parsed.data.action.startsWith('change_') && parsed.data.step !== undefined ? [parsed.data] : [];
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function unreadable(error: unknown): Looked {
  return { get: () => Promise.reject(error), kinds: () => Promise.reject(error), close: async () => undefined };
}
