import { exposure } from './rules/exposure';
import type { Rule, RuleFamily } from './rules/family';
import { imagePinning } from './rules/image-pinning';
import { networkPolicy } from './rules/network-policy';
import { plainSecrets } from './rules/plain-secrets';
import { podSecurityStandards } from './rules/pod-security-standards';
import { rbacRisk } from './rules/rbac-risk';
import { workloadHardening } from './rules/workload-hardening';

/** Every family of rules; a folder that is not listed here fails the registry's test. */
export const families: readonly RuleFamily[] = [
  podSecurityStandards,
  workloadHardening,
  rbacRisk,
  networkPolicy,
  plainSecrets,
  imagePinning,
  exposure,
];

/** Every rule by its id. */
export const rulesById: ReadonlyMap<string, Rule> = new Map(
  families.flatMap((f) => f.rules.map((r) => [r.id, r] as const)),
);
