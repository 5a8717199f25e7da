import type { JsonRecord } from '@larry/contracts';

/** The spec of a pod that meets restricted, with the least that this takes. */
export function compliant(): JsonRecord {
  return {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [breaking({})],
  };
}

/** A container that meets restricted within {@link compliant}, but for these fields of its security context (or of itself, under `body`). */
export function breaking({ body, ...security }: JsonRecord): JsonRecord {
  return {
    name: 'app',
    image: 'example.com/app:1',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, ...security },
    ...(body as JsonRecord | undefined),
  };
}
