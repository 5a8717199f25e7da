import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { RedisSetupError } from './errors';

/** One Lua script as ioredis' `scripts` option takes it. */
export interface ScriptSource {
  readonly lua: string;
  readonly numberOfKeys: number;
}

const INCLUDE = /^-- @include ([a-z-]+)$/gm;
const SHARED = path.join(__dirname, 'lua');

/**
 * Reads a folder of scripts named `<name>-<number of keys>.lua`. A line `-- @include x` is replaced by `includes/x.lua`
 * of that folder, or by this library's own `lua/x.lua` (`emit`: stream entry and publication in one step).
 * @throws RedisSetupError naming the file whose name or include is wrong
 */
export function loadScripts(folder: string): Record<string, ScriptSource> {
  const scripts: Record<string, ScriptSource> = {};
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.lua'))) {
    const match = /^([a-z][a-z-]*)-(\d+)\.lua$/.exec(file);
    if (!match?.[1]) throw new RedisSetupError(`${path.join(folder, file)}: a script is named <name>-<number of keys>.lua`);
    const source = readFileSync(path.join(folder, file), 'utf8');
    scripts[match[1]] = { lua: source.replace(INCLUDE, (_, name: string) => include(folder, file, name)), numberOfKeys: Number(match[2]) };
  }
  return scripts;
}

function include(folder: string, file: string, name: string): string {
  const found = [path.join(folder, 'includes', `${name}.lua`), path.join(SHARED, `${name}.lua`)].find(existsSync);
  if (!found) throw new RedisSetupError(`${path.join(folder, file)}: includes "${name}", and there is no such file`);
  return readFileSync(found, 'utf8').trimEnd();
}
