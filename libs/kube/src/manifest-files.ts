import { posix } from 'node:path';

/** Files that tools read beside manifests, by their name. */
const toolFiles: [RegExp, string][] = [
  [/^Chart\.(ya?ml|lock)$/, 'Helm chart description, not a manifest'],
  [/^values([-_.].*)?\.(ya?ml|json)$|[-_.]values\.ya?ml$|^values\.schema\.json$/, 'Helm values, not a manifest'],
  [/^_.*\.tpl$|\.tpl$/, 'Helm template: render it with helm template'],
];

/** Why a file is not read as a manifest, by its path alone; undefined when it is to be read. */
export function passedOver(file: string): string | undefined {
  const name = posix.basename(file);
  const tool = toolFiles.find(([pattern]) => pattern.test(name));
  if (tool) return tool[1];
  return /\.(ya?ml|json)$/i.test(name) ? undefined : 'not YAML or JSON';
}

/** The folders that hold a Helm chart, from the paths of a tree. */
export function chartFolders(files: readonly string[]): Set<string> {
  return new Set(files.filter((file) => /(^|\/)Chart\.ya?ml$/.test(file)).map((file) => posix.dirname(file)));
}

/** Whether a file stands in the `templates` folder of one of the charts. */
export function insideTemplates(file: string, charts: ReadonlySet<string>): boolean {
  for (let at = file.lastIndexOf('templates/'); at >= 0; at = at === 0 ? -1 : file.lastIndexOf('templates/', at - 1)) {
    const chart = at === 0 ? '.' : file.slice(0, at - 1);
    if ((at === 0 || file[at - 1] === '/') && charts.has(chart)) return true;
  }
  return false;
}
