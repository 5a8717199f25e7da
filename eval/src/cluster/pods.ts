import type { Chance } from './chance';
import type { Container, ContainerStatus, Pod, PodSpec } from './objects';

export interface PodParts {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  template: PodSpec;
  nodeName: string;
  hostIP: string;
  podIP: string;
  createdAt: string;
  startedAt: string;
  owner?: { apiVersion: string; kind: string; name: string; uid: string };
}

/** A pod that runs and is ready, as kubelet reports it. */
export function runningPod(chance: Chance, parts: PodParts): Pod {
  const { template, owner, createdAt, startedAt } = parts;
  const condition = (type: string, at: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: at });
  const hostNetwork = template['hostNetwork'] === true;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: parts.name,
      namespace: parts.namespace,
      uid: chance.uid(),
      resourceVersion: String(chance.int(100_000, 9_000_000)),
      creationTimestamp: createdAt,
      labels: parts.labels,
      ...(owner ? { ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }] } : {}),
    },
    spec: { ...template, nodeName: parts.nodeName },
    status: {
      phase: 'Running',
      conditions: [condition('PodReadyToStartContainers', startedAt), condition('Initialized', createdAt), condition('Ready', startedAt), condition('ContainersReady', startedAt), condition('PodScheduled', createdAt)],
      hostIP: parts.hostIP,
      podIP: hostNetwork ? parts.hostIP : parts.podIP,
      podIPs: [{ ip: hostNetwork ? parts.hostIP : parts.podIP }],
      startTime: createdAt,
      qosClass: 'Burstable',
      ...(template.initContainers ? { initContainerStatuses: template.initContainers.map((container) => finished(chance, container, createdAt, startedAt)) } : {}),
      containerStatuses: template.containers.map((container) => running(chance, container, startedAt)),
    },
  };
}

function base(chance: Chance, container: Container): Omit<ContainerStatus, 'ready' | 'state'> {
  return {
    name: container.name,
    image: container.image,
    imageID: `${container.image.replace(/:[^:/]*$/, '')}@sha256:${chance.hex(64)}`,
    containerID: `containerd://${chance.hex(64)}`,
    restartCount: 0,
    lastState: {},
  };
}

function running(chance: Chance, container: Container, startedAt: string): ContainerStatus {
  return { ...base(chance, container), ready: true, started: true, state: { running: { startedAt } } };
}

function finished(chance: Chance, container: Container, startedAt: string, finishedAt: string): ContainerStatus {
  const status = base(chance, container);
  return { ...status, ready: true, started: false, state: { terminated: { exitCode: 0, reason: 'Completed', startedAt, finishedAt, containerID: status.containerID } } };
}
