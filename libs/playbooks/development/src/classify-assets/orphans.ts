import type { Inventory } from '../inventory';

/** Assets that nothing refers to, or why that cannot be said. */
export type Orphans = { known: true; ids: string[] } | { known: false; reason: string };

const candidates = ['ConfigMap', 'Secret', 'PersistentVolumeClaim', 'Service'];

/** Kinds whose objects refer to others: while one of them is unknown, "nobody uses it" is not known either. */
const referring = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Pod', 'ReplicaSet', 'Ingress', 'ServiceAccount'];

/** Marks by which sidecars and operators find objects without being named in them. */
const foundByLabel = /grafana_dashboard|grafana_datasource|sidecar|^argocd\.argoproj\.io\/secret-type$|cert-manager|^owner$/;

/**
 * ConfigMaps, Secrets, claims without a referrer and Services without a workload, a path or a host name that leads to
 * them. A suspicion, never a reason to delete: what reads an object by the API alone is not seen. Pure.
 */
export function orphansOf(inventory: Inventory): Orphans {
  const missing = inventory.unlisted.filter((u) => referring.includes(u.kind)).map((u) => u.kind);
  if (missing.length > 0) return { known: false, reason: `what refers to them cannot be listed: ${missing.join(', ')}` };
  if (inventory.omitted > 0) return { known: false, reason: `${inventory.omitted} assets are not in the inventory` };
  const used = new Set(inventory.dependencies.map((d) => d.to));
  const selecting = new Set(inventory.dependencies.filter((d) => d.via === 'selector').map((d) => d.from));
  const ids = inventory.assets
    .filter((asset) => candidates.includes(asset.kind) && asset.id.startsWith(`${asset.kind} `))
    .filter((asset) => !asset.builtin && asset.owner.kind !== 'controller' && asset.type !== 'ExternalName')
    .filter((asset) => !Object.keys(asset.labels ?? {}).some((key) => foundByLabel.test(key)))
    .filter((asset) => !used.has(asset.id) && !(asset.kind === 'Service' && selecting.has(asset.id)))
    .map((asset) => asset.id);
  return { known: true, ids };
}
