import { listOf, printable, textOf, valueIn } from '@larry/contracts';
import type { Candidate } from '../finding';
import { casesOf, containerAt, eventsOfPod, ofWorkload, type Case } from './cause';
import { seen, seenEvent } from './evidence';
import { machineOf } from './startup-platform';

/** Reasons for waiting of the kubelet's image manager (kubernetes, `pkg/kubelet/images/types.go`). */
const imageReasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'ImageInspectError', 'RegistryUnavailable', 'SignatureValidationFailed']);

/** What containerd's resolver says (containerd, `remotes/docker/resolver.go`) and the registries with it. */
const dnsFailure = /\blookup [^\s:]+(?: on \S+)?: |no such host|Temporary failure in name resolution|server misbehaving|EAI_AGAIN|Could not resolve host|Try again/i;
const unauthorized = /401 Unauthorized|403 Forbidden|unauthorized|no basic auth credentials|authentication required|denied: requested access|authorization failed|insufficient_scope|failed to authorize|access forbidden/i;
const notThere = /: not found|manifest unknown|manifest for .* not found|name unknown|invalid reference format|could not parse reference|repository name must be|not present with pull policy of Never|repository does not exist|no match(?:ing manifest)? for/i;
/** What is between the node and the registry fails: no fault of the reference (Go `net`, `crypto/tls`, `net/http`). */
const unreachable: { pattern: RegExp; why: string }[] = [
  { pattern: /x509:|certificate (?:is|has)|TLS handshake|tls: /i, why: 'its certificate is not accepted' },
  { pattern: /server gave HTTP response to HTTPS client/i, why: 'it speaks HTTP where HTTPS is asked for' },
  { pattern: /connection refused/i, why: 'it refuses the connection' },
  { pattern: /i\/o timeout|connection reset|no route to host|network is unreachable|Client\.Timeout exceeded|context deadline exceeded/i, why: 'it does not answer' },
  { pattern: /toomanyrequests|too many requests/i, why: 'it allows no more pulls for now' },
];
const otherTrouble = /no space left/i;
const ambiguous = /repository does not exist or may require/i;
const publicRegistries = new Set(['docker.io', 'registry-1.docker.io', 'index.docker.io', 'quay.io', 'registry.k8s.io', 'k8s.gcr.io', 'mcr.microsoft.com', 'public.ecr.aws']);

/** Images that cannot be pulled: a registry without an address, a name without an image, a registry that wants a secret. */
export function imageCauses(scene: Parameters<typeof casesOf>[0]): Candidate[] {
  return casesOf(scene, 'waiting').flatMap((one) => {
    const reason = one.ailment.container?.state.reason ?? '';
    return imageReasons.has(reason) ? (imageCause(one) ?? []) : [];
  });
}

function imageCause(one: Case): Candidate | undefined {
  const { pod, workload, ailment } = one;
  const container = ailment.container as NonNullable<typeof ailment.container>;
  const image = textOf(container.spec['image']) ?? '';
  const event = eventsOfPod(one.scene, pod).find((e) => /^Failed|InspectFailed/.test(e.reason) && /pull|resolve|image/i.test(e.message) && !/^Error: \w+$/.test(e.message) && e.message.includes(image.replace(/^.*\//, '').replace(/[:@].*$/, '')));
  const message = [container.state.message, event?.message].filter(Boolean).join(' ');
  const at = `${containerAt(workload, container)}/image`;
  const evidence = [
    seen(pod.ref, `.status.containerStatuses[${container.name}].state.waiting`, `${container.state.reason}: ${container.state.message ?? ''}`),
    ...(event ? [seenEvent(event)] : []),
    seen(workload.ref, dottedImage(at), image),
  ];
  const shownImage = printable(image, 200);
  if (dnsFailure.test(message)) {
    return ofWorkload(one, 'image_registry_dns_failure', 0.95, `the registry of ${shownImage} has no address in DNS`, {
      evidence,
      remedy: { none: `name a registry that can be resolved in ${dottedImage(at)}, or make ${registryOf(image)} resolvable on the nodes` },
    });
  }
  const secrets = pullSecrets(one);
  const missing = secrets.filter((name) => one.scene.facts.objects.isMissing('Secret', pod.namespace, name));
  const retrieve = eventsOfPod(one.scene, pod).find((e) => e.reason === 'FailedToRetrieveImagePullSecret');
  if (unauthorized.test(message) && !(notThere.test(message) && !ambiguous.test(message))) {
    const lacks = secretVerdict(one, image, secrets, missing, retrieve !== undefined, ambiguous.test(message));
    if (lacks !== undefined) {
      return ofWorkload(one, 'missing_image_pull_secret', lacks.confidence, `${registryOf(image)} refuses ${shownImage}: ${lacks.why}`, {
        evidence: [...evidence, ...(retrieve ? [seenEvent(retrieve)] : []), seen(workload.ref, `.${workload.podSpecAt.slice(1).replaceAll('/', '.')}.imagePullSecrets`, secrets.length > 0 ? secrets.join(', ') : 'not set')],
        alternatives: [{ cause: 'incorrect_image_reference', why: ambiguous.test(message) ? 'a registry answers the same for an image that does not exist; here the secret is what is seen to be missing' : 'the registry answered that it wants authorization, not that there is no such image' }],
        remedy: { none: `the registry's credentials are a secret that only you have: kubectl create secret docker-registry ${missing[0] ?? 'NAME'} --namespace=${pod.namespace} …, and name it in imagePullSecrets` },
      });
    }
  }
  if (!notThere.test(message)) {
    const way = unreachable.find(({ pattern }) => pattern.test(message));
    if (way) {
      return ofWorkload(one, 'image_registry_unreachable', 0.93, `${registryOf(image)} does not give ${shownImage}: ${way.why}`, {
        evidence,
        remedy: { none: `see that the nodes reach ${registryOf(image)} and trust it (k3s: registries.yaml), or name another registry in ${dottedImage(at)}` },
      });
    }
    if (otherTrouble.test(message)) return undefined;
  }
  const sure = notThere.test(message) || container.state.reason === 'InvalidImageName' || container.state.reason === 'ErrImageNeverPull';
  const machine = /no match(?:ing manifest)? for/i.test(message) ? ` for ${machineOf(one.scene, pod.node) ?? 'the machine of its node'}` : '';
  return ofWorkload(one, 'incorrect_image_reference', sure ? 0.93 : 0.6, `there is no image ${shownImage}${machine}`, {
    evidence,
    alternatives: ambiguous.test(message) ? [{ cause: 'missing_image_pull_secret', why: 'the registry would say the same of a private image, but nothing else points to one' }] : [],
    remedy: previousImage(one, at) ?? { none: `which image is meant is for you to say: correct ${dottedImage(at)}` },
  });
}

function secretVerdict(one: Case, image: string, secrets: string[], missing: string[], unretrieved: boolean, isAmbiguous: boolean): { confidence: number; why: string } | undefined {
  if (missing.length > 0) return { confidence: 0.95, why: `the pull secret ${missing.join(', ')} does not exist` };
  if (unretrieved) return { confidence: 0.93, why: 'a pull secret cannot be retrieved' };
  if (secrets.length === 0 && siblingHasSecret(one, image)) return { confidence: 0.93, why: 'no pull secret is named, and others who pull from there name one' };
  const isPublic = publicRegistries.has(registryOf(image));
  if (!isAmbiguous) return secrets.length === 0 ? { confidence: 0.9, why: 'no pull secret is named' } : { confidence: 0.75, why: 'the pull secret that is named does not open it' };
  return isPublic ? undefined : secrets.length === 0 ? { confidence: 0.75, why: 'no pull secret is named' } : undefined;
}

function pullSecrets({ pod, scene }: Case): string[] {
  const own = listOf(pod.spec['imagePullSecrets']).flatMap((s) => textOf(valueIn(s, 'name')) ?? []);
  if (own.length > 0) return own;
  const account = scene.facts.objects.get('ServiceAccount', pod.namespace, textOf(pod.spec['serviceAccountName']) ?? 'default');
  return listOf(account?.['imagePullSecrets']).flatMap((s) => textOf(valueIn(s, 'name')) ?? []);
}

/** Another workload pulls from the same place with a secret. */
function siblingHasSecret({ scene, workload }: Case, image: string): boolean {
  const place = image.split('/').slice(0, -1).join('/');
  if (place === '') return false;
  return scene.facts.workloads.some(
    (other) => other.key !== workload.key && listOf(other.podSpec['imagePullSecrets']).length > 0 && listOf(other.podSpec['containers']).some((c) => (textOf(valueIn(c, 'image')) ?? '').startsWith(`${place}/`)),
  );
}

/** The image that the same container had in the ReplicaSet before, when pods of that one run. */
function previousImage({ scene, workload, ailment }: Case, at: string) {
  const name = ailment.container?.name;
  const former = workload.allPods.find((pod) => !pod.current && pod.ready);
  const image = former?.containers.find((c) => c.name === name)?.spec['image'];
  if (typeof image !== 'string' || scene.facts.source.type === 'manifests') return undefined;
  return { summary: `Set the image of ${name ?? 'the container'} back to ${image}`, patch: [{ op: 'replace' as const, path: at, value: image }], note: 'the image of the revision that still runs' };
}

/** The registry of an image's name (distribution, *reference*): `docker.io` where none is written. */
export function registryOf(image: string): string {
  const first = image.split('/')[0] ?? '';
  return image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost') ? first : 'docker.io';
}

const dottedImage = (pointer: string): string => pointer.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.');
