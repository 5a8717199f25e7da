import type { Asset, Inventory } from '../inventory';
import { groupRules, kindRules, portRules, softwareRules, type Tag } from './rules';

/** Tags of one asset, each with the rule that said so. */
export interface Classified {
  id: string;
  /** The first is what the asset is foremost; empty when no rule fits. */
  tags: { tag: Tag; rule: string }[];
}

/** Tags every asset of an inventory; what a Service stands before it is too. Pure. */
export function classifyAll(inventory: Inventory): Classified[] {
  const classified = inventory.assets.map(classify);
  const byId = new Map(classified.map((c) => [c.id, c]));
  for (const { from, to, via } of inventory.dependencies) {
    const service = byId.get(from);
    const workload = byId.get(to)?.tags[0];
    if (via !== 'selector' || !service || !workload || service.tags.some((t) => t.tag === workload.tag)) continue;
    service.tags.push({ tag: workload.tag, rule: `selects ${to}` });
  }
  return classified;
}

/** What software it is decides first; then its kind; then its ports. */
export function classify(asset: Asset): Classified {
  const found = [...bySoftware(asset), ...byKind(asset)];
  if (found.length === 0) found.push(...byPort(asset));
  if (asset.namespace === 'kube-system' || asset.owner.kind === 'k3s-addon' || asset.owner.kind === 'k3s-helmchart') {
    found.push({ tag: 'system', rule: asset.namespace === 'kube-system' ? 'namespace kube-system' : `owner ${asset.owner.kind}` });
  }
  const once = new Map<Tag, string>();
  for (const { tag, rule } of found) if (!once.has(tag)) once.set(tag, rule);
  return { id: asset.id, tags: [...once].map(([tag, rule]) => ({ tag, rule })) };
}

const words = softwareRules.flatMap(([tag, list]) => list.split(' ').map((word) => ({ tag, word })));

function bySoftware(asset: Asset): Classified['tags'] {
  if (!asset.images && kindRules[asset.kind] !== undefined) return [];
  const places: [string, string[]][] = [
    ['image', (asset.images ?? []).map(repositoryOf)],
    ['chart', asset.labels?.['helm.sh/chart'] ? [asset.labels['helm.sh/chart']] : []],
    ['label', ['app.kubernetes.io/name', 'app.kubernetes.io/component', 'app', 'k8s-app'].flatMap((key) => asset.labels?.[key] ?? [])],
    ['name', [asset.name]],
  ];
  for (const [place, texts] of places) {
    const found = texts.flatMap((text) => {
      const rule = words.find(({ word }) => names(text, word));
      return rule ? [{ tag: rule.tag, rule: `${place} names ${rule.word}` }] : [];
    });
    // A database with an exporter or a proxy beside it is a database.
    if (found.length > 0) return [...found.filter((f) => !besides.includes(f.tag)), ...found.filter((f) => besides.includes(f.tag))];
  }
  return [];
}

const besides: Tag[] = ['monitoring', 'network'];

/** The word stands by itself: `bitnami/postgresql` names postgresql, `postgresqlish` names nothing. */
function names(text: string, word: string): boolean {
  const lower = text.toLowerCase();
  for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + 1)) {
    if (!/[a-z]/.test(lower[at - 1] ?? '') && !/[a-z]/.test(lower[at + word.length] ?? '')) return true;
  }
  return false;
}

/** `registry.example.com:5000/bitnami/redis:7@sha256:…` → `bitnami/redis`: a registry's name says nothing about the software. */
export function repositoryOf(image: string): string {
  const parts = (image.split('@')[0] as string).split('/');
  const [first = ''] = parts;
  if (parts.length > 1 && /[.:]|^localhost$/.test(first)) parts.shift();
  const last = parts.pop() ?? '';
  return [...parts, last.split(':')[0]].join('/');
}

function byKind(asset: Asset): Classified['tags'] {
  const group = asset.apiVersion.includes('/') ? (asset.apiVersion.split('/')[0] as string) : '';
  const custom = groupRules.find(([suffix]) => group === suffix || group.endsWith(`.${suffix}`));
  if (custom) return [{ tag: custom[1], rule: `group ${custom[0]}` }];
  const tag = asset.id.startsWith(`${asset.kind} `) ? kindRules[asset.kind] : undefined;
  return tag === undefined ? [] : [{ tag, rule: `kind ${asset.kind}` }];
}

function byPort(asset: Asset): Classified['tags'] {
  const rule = portRules.find(([port]) => asset.ports?.includes(port));
  return rule ? [{ tag: rule[1], rule: `port ${rule[0]} (${rule[2]})` }] : [];
}
