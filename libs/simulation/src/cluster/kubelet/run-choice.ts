import { behaviourOf, parseImage, type MountView, type Script } from '../behaviours';
import type { Clock } from '../clock';
import type { Container, Node, Pod } from '../types';
import { factsOf } from './container-facts';
import type { Begin } from './container-run';
import { ConfigError, type Sources } from './environment';
import { PlayedScript } from './played-script';
import { isProgramImage, ProgramRefused } from './programs/catalog';
import type { PodPrograms } from './programs/pod-programs';

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

function played(pod: Pod, container: Container, { podIp, node, sources, clock, mounts }: ChoiceParts): RunChoice {
  const behaviour = behaviourOf(container.image);
  if (!behaviour) return unknown(`the simulation does not know what image "${container.image}" does, so it does not pretend to run it`);
  const script = behaviour.run(factsOf(pod, container, behaviour.uid, { podIp, node, sources, mounts: mounts(), now: clock.now() }));
  if ('unknown' in script) return unknown(`the simulation does not run this container: ${script.unknown}`);
  return { begin: PlayedScript.of(script, clock, container, podIp), script };
}

function unknown(message: string): RunChoice {
  return { reason: 'ImageBehaviorUnknown', message, event: 'ImageBehaviorUnknown', eventMessage: message };
}
