import { z } from 'zod';
import { emailProblem } from '@larry/diagnosis';

/** What a user can set for `fix-pgadmin-crashloop`. */
export const optionsSchema = z
  .object({
    /** The e-mail address PgAdmin shall have. By default the part before the @ is kept and only the domain is replaced. */
    pgadminEmail: z.string().optional(),
    /** The domain that replaces one PgAdmin refuses. PgAdmin sends password resets there; `example.com` is accepted and delivers nothing. */
    pgadminEmailDomain: z.string().default('example.com'),
    /** How long a PgAdmin that is just starting is waited for before it is judged, in seconds; live clusters only. */
    settleSeconds: z.number().int().min(0).max(600).default(60),
    /** How long a repaired workload may take to get ready before the change is taken back, in seconds; an image pull fits in. */
    readySeconds: z.number().int().min(1).max(1800).default(120),
    /** How long the verification looks at it for restarts once it is ready, in seconds. */
    verifySeconds: z.number().int().min(1).max(3600).default(20),
    /** For how long there must have been no restart, in minutes; at least twice the longest back-off of the kubelet (5 minutes). */
    restartWindowMinutes: z.number().int().min(10).max(1440).default(30),
  })
  .superRefine((options, context) => {
    const check = (path: string, address: string, what: string) => {
      const problem = emailProblem(address);
      if (problem) context.addIssue({ code: 'custom', path: [path], message: `${what} would be refused by PgAdmin: ${problem}` });
    };
    if (options.pgadminEmail !== undefined) check('pgadminEmail', options.pgadminEmail, options.pgadminEmail);
    check('pgadminEmailDomain', `pgadmin@${options.pgadminEmailDomain}`, options.pgadminEmailDomain);
  });

export type Options = z.infer<typeof optionsSchema>;
