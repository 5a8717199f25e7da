import { ended, type ContainerFacts, type ImageBehaviour, type Script, type Unknown } from './behaviour';

/** Small images whose work is the command that they are given; only commands whose effect is plain are known. */
export const shell: ImageBehaviour = {
  repositories: ['busybox', 'alpine', 'rancher/mirrored-library-busybox', 'bash', 'debian', 'ubuntu'],
  uid: 0,
  run(facts) {
    const words = [...facts.command, ...facts.args];
    // A shell without a terminal reads the end of its input and leaves.
    if (words.length === 0) return ended(0, [], 100);
    return runWords(words, facts);
  },
};

interface Outcome {
  lines: { afterMs: number; line: string }[];
  ms: number;
  code: number;
  owns: { path: string; uid: number; gid: number }[];
}

function runWords(words: readonly string[], facts: ContainerFacts): Script | Unknown {
  const text = isShell(words[0]) && words[1]?.includes('c') ? (words[2] ?? '') : undefined;
  const steps = text === undefined ? [words.map((word) => word.replace(/\$\((\w+)\)/g, (_, name: string) => facts.env[name] ?? ''))] : splitScript(text, facts);
  if (!steps) return { unknown: `the shell script ${JSON.stringify(text)} is more than this simulation understands` };
  const outcome: Outcome = { lines: [], ms: 100, code: 0, owns: [] };
  for (const step of steps) {
    const problem = runStep(step, outcome, facts);
    if (problem) return { unknown: problem };
    if (outcome.ms === Infinity || outcome.code !== 0) break;
  }
  const runsOn = outcome.ms === Infinity;
  return {
    lines: outcome.lines,
    ...(runsOn ? {} : { exit: { afterMs: outcome.ms, code: outcome.code } }),
    ports: [],
    exec: () => 0,
    // A shell as process 1 has no handler for SIGTERM, so the kernel drops the signal.
    onTerm: undefined,
    owns: outcome.owns,
  };
}

function isShell(word: string | undefined): boolean {
  return /(^|\/)(sh|bash|ash)$/.test(word ?? '');
}

/** The simple commands of a script, or undefined where it has more than `;`, `&&` and line ends between them. */
function splitScript(text: string, facts: ContainerFacts): string[][] | undefined {
  if (/while (true|:); ?do .*sleep \d+.*done/s.test(text)) return [['sleep', 'infinity']];
  if (/[|`<>{}]|\$\(|\b(if|for|while|case|until)\b/.test(text)) return undefined;
  return text
    .split(/;|&&|\n/)
    .map((part) => part.trim())
    .filter((part) => part && !part.startsWith('#'))
    .map((part) => (part.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => expand(word, facts)));
}

function expand(word: string, facts: ContainerFacts): string {
  if (word.startsWith("'")) return word.slice(1, -1);
  return word.replace(/^"|"$/g, '').replace(/\$\{?(\w+)\}?/g, (_, name: string) => facts.env[name] ?? '');
}

/** One command's effect on the outcome; the result says what is not understood. */
function runStep(words: readonly string[], outcome: Outcome, facts: ContainerFacts): string | undefined {
  const [program = '', ...rest] = words[0] === 'exec' ? words.slice(1) : words;
  switch (program.replace(/^.*\//, '')) {
    case 'echo':
      outcome.lines.push({ afterMs: outcome.ms, line: rest.filter((word) => word !== '-n' && word !== '-e').join(' ') });
      return undefined;
    case 'date':
      outcome.lines.push({ afterMs: outcome.ms, line: facts.startedAt.toUTCString() });
      return undefined;
    case 'sleep':
      outcome.ms += seconds(rest[0]) * 1000;
      return undefined;
    case 'tail':
      outcome.ms = Infinity;
      return undefined;
    case 'true':
    case ':':
    case 'set':
    case 'mkdir':
    case 'chmod':
    case 'sysctl':
      return undefined;
    case 'chown': {
      const [owner, ...paths] = rest.filter((word) => !word.startsWith('-'));
      const [uid, gid] = (owner ?? '').split(':').map(Number);
      for (const path of paths) outcome.owns.push({ path, uid: uid ?? 0, gid: gid ?? uid ?? 0 });
      return undefined;
    }
    case 'false':
      outcome.code = 1;
      return undefined;
    case 'exit':
      outcome.code = Number(rest[0] ?? 0);
      // An explicit `exit 0` ends the script as well; nothing follows it in scripts this simple.
      return undefined;
    default:
      return `what ${program} does in ${facts.repository} is not known`;
  }
}

function seconds(word: string | undefined): number {
  if (word === undefined || word === 'infinity' || word === 'inf') return Infinity;
  const factor = { s: 1, m: 60, h: 3600, d: 86400 }[word.slice(-1)] ?? 1;
  return parseFloat(word) * factor || 0;
}
