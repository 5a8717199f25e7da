import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { guardTemplate, markFor, type ChartFile, type HelmRelease } from './release';

/** A folder that only this account can enter, for the time of one use. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'larry-helm-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Why a release's chart cannot be written out as it was; undefined where it can. */
export function whyIncomplete({ chart }: HelmRelease): string | undefined {
  if (chart.templates.length === 0) return 'the release keeps no templates of its chart';
  const dependencies = chart.metadata['dependencies'];
  if (Array.isArray(dependencies) && dependencies.length > 0) return 'its chart has subcharts, which Helm does not keep with the release: upgrade it from where the chart is';
  return [...chart.templates, ...chart.files].some(({ name }) => !isInside(name)) ? 'a file of its chart has a name that leads out of the chart' : undefined;
}

/** Writes the chart that a release keeps into `folder/chart`; files are readable by this account only. JSON is YAML. */
export async function writeChart(folder: string, release: HelmRelease): Promise<string> {
  const root = path.join(folder, 'chart');
  const { chart } = release;
  const text = (name: string, value: unknown): ChartFile => ({ name, data: Buffer.from(JSON.stringify(value)).toString('base64') });
  const own = [
    text('Chart.yaml', chart.metadata),
    text('values.yaml', chart.values),
    ...(chart.lock ? [text('Chart.lock', chart.lock)] : []),
    ...(chart.schema ? [{ name: 'values.schema.json', data: chart.schema }] : []),
  ];
  const rest = [...chart.templates, ...chart.files].filter(({ name }) => !own.some((file) => file.name === name));
  for (const file of [...own, ...rest]) await writeInside(root, file);
  return root;
}

/**
 * Makes an upgrade with this chart conditional on the revision that was read: Helm gives an upgrade the number after the
 * newest, renders before it writes anything, and a template that fails stops it. Says whose change it is as well.
 */
export async function writeGuard(root: string, change: { id: string; revision: number }): Promise<void> {
  const said = `the release is not at revision ${change.revision} any more`;
  const template = `{{- /* larry.dev/change ${markFor(change.id)} */ -}}\n{{- if ne (int .Release.Revision) ${change.revision + 1} }}{{ fail ${JSON.stringify(said)} }}{{ end -}}\n`;
  await writeInside(root, { name: guardTemplate, data: Buffer.from(template).toString('base64') });
}

/** Writes a file that only this account can read, for values: they may hold secrets. */
export async function writeValues(folder: string, name: string, values: unknown): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, JSON.stringify(values), { mode: 0o600 });
  return file;
}

async function writeInside(root: string, { name, data }: ChartFile): Promise<void> {
  if (!isInside(name)) throw new Error(`the chart has a file named ${JSON.stringify(name)}, which leads out of it`);
  const file = path.join(root, name);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, Buffer.from(data, 'base64'), { mode: 0o600 });
}

function isInside(name: string): boolean {
  return name !== '' && !name.includes('\0') && !path.isAbsolute(name) && !name.split(/[\\/]/).some((part) => part === '..' || part === '' || part === '.');
}
