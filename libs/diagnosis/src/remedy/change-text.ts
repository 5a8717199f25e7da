import { valueIn, type KubeObject } from '@larry/contracts';
import { partsOf } from '../causes/evidence';
import type { FieldChange } from '../finding';

/** YAML that shows the fields as they should be; an element of a list is told by its name. */
export function yamlOf(object: KubeObject | undefined, patch: FieldChange['patch']): string {
  return patch.map((step) => fragment(object, partsOf(step.path), step)).join('');
}

function fragment(object: KubeObject | undefined, parts: string[], step: FieldChange['patch'][number]): string {
  const lines: string[] = [];
  let depth = 0;
  let dash = '';
  const put = (text: string): void => void lines.push(`${'  '.repeat(depth)}${dash}${text}`);
  parts.forEach((part, index) => {
    const isElement = part === '-' || /^\d+$/.test(part);
    const last = index === parts.length - 1;
    if (!isElement) {
      put(last ? (step.op === 'remove' ? `# remove ${JSON.stringify(part)}` : `${yamlKey(part)}: ${JSON.stringify(step.value)}`) : `${yamlKey(part)}:`);
      depth += dash === '' ? 1 : 2;
      dash = '';
      return;
    }
    if (last) return put(step.op === 'remove' ? '# remove this element' : `- ${JSON.stringify(step.value)}`);
    const name = valueIn(object, ...parts.slice(0, index + 1), 'name');
    if (typeof name === 'string') {
      put(`- name: ${JSON.stringify(name)}`);
      depth += 1;
    } else dash = '- ';
  });
  return `${lines.join('\n')}\n`;
}

const yamlKey = (key: string): string => (/^[A-Za-z][A-Za-z0-9_-]*$/.test(key) ? key : JSON.stringify(key));
