import { z } from 'zod';
import { exceptionSchema } from './exceptions';

const namespaceName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of a namespace (lower-case letters, digits, -)');

/** The options of a security scan. */
export const scanOptionsSchema = z
  .strictObject({
    /** The namespaces of the group. One that does not exist is said. */
    namespaces: z.array(namespaceName).default([]),
    /** Also every namespace that `notNamespaces` does not name, and what belongs to no namespace. */
    others: z.boolean().default(false),
    /** Namespaces that other groups scan. */
    notNamespaces: z.array(namespaceName).default([]),
    /** The path of a YAML file of exceptions, or the exceptions themselves. */
    exceptions: z.union([z.string().min(1), z.array(exceptionSchema)]).optional(),
    /**
     * Reads Helm's records of releases (Secrets) to name the chart's values in remedies. Off by default: the right to read Secrets
     * cannot be limited to them, and no role that Larry generates holds it.
     */
    helmValues: z.boolean().default(false),
    /** Where images may come from (`ghcr.io/acme`); not checked when empty. */
    registries: z.array(z.string().min(1)).default([]),
  })
  .refine((o) => o.others || o.namespaces.length > 0, {
    message: 'name at least one namespace in namespaces, or set others: true',
    path: ['namespaces'],
  })
  .refine((o) => !o.namespaces.some((n) => o.notNamespaces.includes(n)), {
    message: 'a namespace stands in namespaces too: take it out of one of them',
    path: ['notNamespaces'],
  });

export type ScanOptions = z.infer<typeof scanOptionsSchema>;
