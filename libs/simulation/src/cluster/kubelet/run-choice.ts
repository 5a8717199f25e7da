import { behaviourOf, parseImage, type MountView, type Script } from '../behaviours';
import type { Clock } from '../clock';
import type { PodNetwork } from '../pod-network';
import type { Container, Node, Pod } from '../types';
import { factsOf } from './container-facts';
import type { Begin } from './container-run';
import { ConfigError, type Sources } from './environment';
import { faultsKey } from './image-pulls';
import { PlayedScript } from './played-script';
import { isProgramImage, ProgramRefused } from './programs/catalog';
import type { PodPrograms } from './programs/pod-programs';
import type { ServiceDial } from './service-dial';

/** What a container would do, or why it is not run: `reason` and `message` of its waiting state and of the event. */
export type RunChoice = { begin: Begin; script?: Script } | { reason: string; message: string; event: string; eventMessage: string; retryMs?: number };

/** What the choice depends on beside pod and container. */
export interface ChoiceParts {
  podIp: string;
  node: Node;
  sources: Sources;
  clock: Clock;
  mounts(): readonly MountView[];
  programs: PodPrograms | undefined;
  network: PodNetwork;
  services: ServiceDial;
}

/** Finds what runs in a container: one of our programs, or the script of an image whose behaviour is known. */
export function chooseRun(pod: Pod, container: Container, parts: ChoiceParts): RunChoice {
  const { image } = container;
  if (!parseImage(image)) {
    const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`;
    return { reason: 'InvalidImageName', message, event: 'InspectFailed', eventMessage: message };
  }
  try {
    if (isProgramImage(image)) return parts.programs ? { begin: parts.programs.begin(pod, container, parts.podIp) } : unknown(`this simulation was started without our own programs, so image "${image}" is not run`);
    return played(pod, container, parts);
  } catch (error) {
    if (error instanceof ProgramRefused) return { reason: 'CreateContainerError', message: error.message, event: 'Failed', eventMessage: `Error: ${error.message}` };
    if (error instanceof ConfigError) return { reason: 'CreateContainerConfigError', message: error.message, event: 'Failed', eventMessage: `Error: ${error.message}`, retryMs: 10_000 };
    throw error;
  }
}

function played(pod: Pod, container: Container, { podIp, node, sources, clock, mounts, network, services }: ChoiceParts): RunChoice {
  const behaviour = behaviourOf(container.image);
  if (!behaviour) return unknown(`the simulation does not know what image "${container.image}" does, so it does not pretend to run it`);
  const script = behaviour.run(factsOf(pod, container, behaviour.uid, { podIp, node, sources, mounts: mounts(), now: clock.now(), dial: (...asked) => services.dial(...asked) }));
  if ('unknown' in script) return unknown(`the simulation does not run this container: ${script.unknown}`);
  return { begin: PlayedScript.of(slower(script, container.image, sources), { clock, network, podIp }, container), script };
}

/** An application that takes `start-seconds.NAME` of the simulation's ConfigMap longer until its ports are open. */
function slower(script: Script, image: string, { configMaps }: Sources): Script {
  const name = parseImage(image)?.repository.split('/').at(-1) ?? '';
  const more = Number(configMaps.get(faultsKey)?.data?.[`start-seconds.${name}`] ?? 0) * 1000;
  return more > 0 ? { ...script, ports: script.ports.map((port) => ({ ...port, afterMs: port.afterMs + more })) } : script;
}

function unknown(message: string): RunChoice {
  return { reason: 'ImageBehaviorUnknown', message, event: 'ImageBehaviorUnknown', eventMessage: message };
}
