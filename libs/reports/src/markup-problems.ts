/** What is wrong with a page or picture as XML: tags that do not match, bare `<` or `&`, attributes without quotes. */
export function markupProblems(markup: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const rest = markup.replace(/<!doctype html>|<style>[^<]*<\/style>/g, '').replace(/<(\/?)([a-zA-Z][\w]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/g, (_all, close: string, name: string, attributes: string, self: string) => {
    if (close && open.pop() !== name) problems.push(`</${name}> closes nothing`);
    if (!close && !self && !['meta', 'br', 'img'].includes(name)) open.push(name);
    if (/\son\w+=/i.test(attributes.replace(/"[^"]*"/g, ''))) problems.push(`<${name}> carries script`);
    if (name === 'script') problems.push('a script');
    for (const [, address] of attributes.matchAll(/(?:src|href|xlink:href)="([^"]*)"/g)) {
      if (!address?.startsWith('data:')) problems.push(`a request to ${address}`);
    }
    return '';
  });
  if (open.length > 0) problems.push(`left open: ${open.join(', ')}`);
  if (/[<>]|&(?!(amp|lt|gt|quot|#39);)/.test(rest)) problems.push('a bare <, > or &');
  return problems;
}
