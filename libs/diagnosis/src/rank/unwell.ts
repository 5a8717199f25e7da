import type { Scene } from '../graph/edges';

const unwellOf = new WeakMap<Scene, Set<string>>();

/** Whether an object is seen not to do its work: a pod, a workload, a Service without a ready backend, a route to such a Service. */
export function isUnwell(scene: Scene, key: string): boolean {
  let unwell = unwellOf.get(scene);
  if (!unwell) unwellOf.set(scene, (unwell = findUnwell(scene)));
  return unwell.has(key);
}

function findUnwell(scene: Scene): Set<string> {
  const unwell = new Set<string>();
  for (const workload of scene.facts.workloads) {
    if (workload.state !== 'not-running') continue;
    unwell.add(workload.key);
    for (const maker of workload.makers) unwell.add(maker);
    for (const { pod } of workload.unwell) unwell.add(pod.key);
  }
  if (!scene.facts.runtime) return unwell;
  for (const service of scene.services) if (service.selector && service.readyPods.length === 0 && scene.facts.objects.knows('Pod')) unwell.add(service.key);
  for (const route of scene.routes) if (unwell.has(`Service ${route.service.namespace}/${route.service.name}`)) unwell.add(route.key);
  for (const claim of scene.facts.objects.list('PersistentVolumeClaim')) {
    const phase = (claim['status'] as { phase?: unknown } | undefined)?.phase;
    if (phase === 'Pending' || phase === 'Lost') unwell.add(`PersistentVolumeClaim ${claim.metadata.namespace ?? ''}/${claim.metadata.name}`);
  }
  return unwell;
}
