import type { Command } from 'commander';
import { buildProgram } from './program';

function leaves(command: Command, path: string[] = []): [string, Command][] {
  const here: [string, Command][] = path.length > 0 ? [[path.join(' '), command]] : [];
  return [...here, ...command.commands.flatMap((c) => leaves(c, [...path, c.name()]))];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (said) => (text += said), getOutHelpWidth: () => 80 });
  command.outputHelp();
  return text;
}

const wanted = ['run', 'check', 'diagnose', 'snapshot', 'playbook', 'playbook list', 'playbook run', 'sim', 'sim up', 'status', 'support-bundle', 'dashboard', 'events', 'locks', 'unlock', 'approve', 'deny', 'abort', 'reset', 'logs', 'report', 'aggregate', 'verify', 'audit', 'audit verify', 'doctor', 'install', 'uninstall'];

describe('larry --help', () => {
  it('lists every command, and no other', () => {
    expect(leaves(buildProgram()).map(([name]) => name).sort()).toEqual([...wanted].sort());
    const help = helpOf(buildProgram());
    for (const name of wanted.filter((n) => !n.includes(' '))) expect(help).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    expect(help).toContain('Exit codes:');
  });

  it.each(leaves(buildProgram()).map(([name, command]) => ({ name, command })))('$name says what it does and shows an example of itself', ({ name, command }) => {
    const help = helpOf(command);
    expect(command.description().length).toBeGreaterThan(20);
    expect(help).toMatch(new RegExp(`Examples:[\\s\\S]*larry ${name}`));
  });

  it.each(leaves(buildProgram()).map(([name, command]) => ({ name, command })))('$name describes each of its options', ({ command }) => {
    for (const option of command.options) expect(option.description).not.toBe('');
  });
});

describe('a word that larry does not know', () => {
  it.each([
    [['statsu'], /unknown command 'statsu'[\s\S]*Did you mean status/],
    [['status', '--jsno'], /unknown option '--jsno'[\s\S]*Did you mean --json/],
    [['deny'], /missing required argument 'digest'/],
    [['aggregate', '--report', 'x'], /required option '--output <file>'/],
    [['logs', '-n', 'x'], /must be a whole number, 1 or more/],
    [['run', '--mode', 'yolo'], /Allowed choices are observe, ask, auto/],
    [['check', '--snapshot', 'a', '--dump', 'b'], /cannot be used with/],
  ])('%j is said with a hint, and ends as wrong usage', async (words, said) => {
    const program = buildProgram();
    let text = '';
    const silence = (command: Command): void => {
      command.configureOutput({ writeErr: (t) => (text += t) });
      command.commands.forEach(silence);
    };
    silence(program);
    await expect(program.parseAsync(words, { from: 'user' })).rejects.toMatchObject({ name: 'CommanderError' });
    expect(text).toMatch(said);
    expect(text).toContain('--help');
  });
});
