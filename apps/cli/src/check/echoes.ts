import { describeRef, type Finding } from '@larry/contracts';

const taskOfDiagnosis = 'fix-pgadmin-crashloop';

/** The findings without those that say in other words why something does not run: a reference that leads nowhere, of an object whose root cause is that very thing. */
export function withoutEchoes(findings: readonly Finding[]): Finding[] {
  const causes = new Map<string, string[]>();
  for (const { task, broken, object, title } of findings) {
    if (task !== taskOfDiagnosis || broken !== true) continue;
    const key = describeRef(object);
    causes.set(key, [...(causes.get(key) ?? []), title]);
  }
  return findings.filter(({ rule, object, title }) => {
    const missing = rule === 'dangling-reference' ? / needs (\S+ \S+), which does not exist$/.exec(title)?.[1] : undefined;
    return missing === undefined || !causes.get(describeRef(object))?.some((cause) => cause.includes(missing));
  });
}
