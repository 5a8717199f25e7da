import type { IncomingMessage } from 'node:http';
import { failure } from './api-error';
import { columnsOf } from './columns';
import type { Kind } from './kinds';
import type { KubeObject } from './kube-object';

/** The forms an answer can have. */
export type Form = 'object' | 'table' | 'partial';

/** What the client prefers of the forms that are served. Throws a 406 where it takes none of them. */
export function acceptOf(req: IncomingMessage): Form {
  const header = req.headers.accept;
  if (!header) return 'object';
  for (const part of header.split(',').map((p) => p.trim().toLowerCase())) {
    const [type, ...parameters] = part.split(';').map((p) => p.trim());
    const as = parameters.find((p) => p.startsWith('as='))?.slice(3);
    if (type === 'application/json' || type === '*/*' || type === 'application/*') {
      if (as === 'table') return 'table';
      if (as === 'partialobjectmetadata' || as === 'partialobjectmetadatalist') return 'partial';
      if (as === undefined) return 'object';
    }
    // Protobuf is asked for unasked by kubectl and helm; both take JSON where it stands alone.
    if (type === 'application/vnd.kubernetes.protobuf' && as === undefined) return 'object';
  }
  throw failure(406, 'NotAcceptable', '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf', {});
}

/** An object's metadata alone. */
export const partial = (object: KubeObject): unknown => ({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata });

export interface ColumnDefinition {
  name: string;
  type: string;
  format: string;
  description: string;
  priority: number;
}

export const columnDefinitions = (kind: Kind): ColumnDefinition[] =>
  columnsOf(kind).map(({ name, type = 'string', format = '', priority = 0, description = '' }) => ({ name, type, format, description, priority }));

/** One row; `include` is the query's includeObject (Metadata unless said otherwise). */
export function tableRow(kind: Kind, object: KubeObject, include: string | null, now: Date): unknown {
  const cells = columnsOf(kind).map((column) => column.cell(object, now));
  const shown = include === 'None' ? undefined : include === 'Object' ? object : partial(object);
  return { cells, ...(shown ? { object: shown } : { object: null }) };
}
