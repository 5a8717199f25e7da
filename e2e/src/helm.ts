import { kubeTools } from '@larry/simulation/testing';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';

/** The repository. */
export const repository = path.resolve(__dirname, '..', '..');

/** The four charts, each in the namespace of its own name. */
export const charts = ['larry-01', 'larry-02', 'larry-03', 'meta-coordinator'] as const;

/** What a command came to; helm's notice about the linked library chart is left out. */
export interface Said {
  code: number;
  out: string;
  err: string;
}

/** An object as it was rendered or served. */
export interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  [field: string]: unknown;
}

/** The real helm and kubectl, with a home of their own; `kubeconfig` names the cluster. */
export interface ChartTools {
  helm(...args: string[]): Promise<Said>;
  kubectl(...args: string[]): Promise<Said>;
  /** What a chart renders. @throws Error with helm's words */
  template(chart: string, ...args: string[]): Promise<Rendered[]>;
  /** `larry …` over the same cluster, with helm on its PATH. */
  larry(...args: string[]): Promise<Said>;
  larryWithoutHelm(...args: string[]): Promise<Said>;
  /** Writes a file and returns its path. */
  file(name: string, text: string): string;
  end(): void;
}

const program = path.join(repository, 'apps/cli/dist/main.js');

/** Finds the tools, or undefined where this machine has none. */
export async function chartTools(kubeconfig?: string): Promise<ChartTools | undefined> {
  const tools = await kubeTools();
  if (!tools) return undefined;
  const home = mkdtempSync(path.join(tmpdir(), 'larry-charts-'));
  const config = path.join(home, 'kubeconfig');
  writeFileSync(config, kubeconfig ?? 'apiVersion: v1\nkind: Config\n', { mode: 0o600 });
  const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: config };
  const helm = (...args: string[]): Promise<Said> => run(tools.helm, args, env);
  return {
    helm,
    kubectl: (...args) => run(tools.kubectl, args, env),
    template: async (chart, ...args) => {
      const { code, out, err } = await helm('template', chart, chartFolder(chart), '-n', chart, ...args);
      if (code !== 0) throw new Error(err);
      return objectsOf(out);
    },
    larry: (...args) => run(process.execPath, [program, ...args], { ...env, PATH: `${path.dirname(tools.helm)}${path.delimiter}${env.PATH ?? ''}` }),
    larryWithoutHelm: (...args) => run(process.execPath, [program, ...args], { ...env, PATH: home }),
    file: (name, text) => {
      const file = path.join(home, name);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    },
    end: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** A chart's folder. */
export const chartFolder = (chart: string): string => path.join(repository, 'helm', chart);

/** A chart's `ci/*-values.yaml`, and the values for one node. */
export function valueFiles(chart: string): string[] {
  const ci = path.join(chartFolder(chart), 'ci');
  return [...readdirSync(ci).map((name) => path.join(ci, name)), path.join(chartFolder(chart), 'values-single-node.yaml')];
}

/** The objects of YAML documents. */
export function objectsOf(text: string): Rendered[] {
  return parseAllDocuments(text, { logLevel: 'error' }).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0];
    const object = document.toJS() as Rendered | null;
    return object === null ? [] : [object];
  });
}

function run(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<Said> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd: repository, env, timeout: 120_000, maxBuffer: 32 * 1024 * 1024 }, (error, out, err) => {
      const said = err.split('\n').filter((line) => !line.includes('found symbolic link')).join('\n');
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, out, err: said });
    });
  });
}

/** What kubectl prints; its words are the failure's when it fails. */
export async function kubectlOf(tools: ChartTools | undefined, ...args: string[]): Promise<string> {
  if (!tools) throw new Error('there is no kubectl for this machine');
  const { code, out, err } = await tools.kubectl(...args);
  if (code !== 0) throw new Error(err);
  return out;
}
