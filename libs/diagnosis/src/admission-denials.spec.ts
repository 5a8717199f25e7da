import type { KubeObject } from '@larry/contracts';
import { aNode, anEvent, aService, aWorkload, diagnosed, told } from './testing';

const setOf = (objects: KubeObject[]) => objects[1] as KubeObject;
const calling = (why: string) => `Error creating: Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": ${why}`;

function refused(message: string, extra: KubeObject[] = []) {
  const objects = aWorkload('web', { pods: 0 });
  return diagnosed([aNode(), ...objects, anEvent(setOf(objects), 'FailedCreate', message), ...extra]);
}

describe('pods that a rule of the cluster does not let in', () => {
  it.each([
    ['pod_security_violation', 'Error creating: pods "web-aaaaa-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "app" must set securityContext.capabilities.drop=["ALL"])', 'restricted:latest'],
    ['limit_range_violation', 'Error creating: pods "web-aaaaa-x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi', 'but limit is 4Gi'],
    ['limit_range_violation', 'Error creating: pods "web-aaaaa-x" is forbidden: [minimum cpu usage per Container is 100m, but request is 10m, maximum cpu usage per Pod is 2, but limit is 3]', 'but request is 10m'],
    ['admission_denied', 'Error creating: admission webhook "validate.kyverno.svc-fail" denied the request: policy require-labels: label team is required', 'label team is required'],
    ['admission_denied', "Error creating: pods \"web-aaaaa-x\" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'no-latest-all' denied request: images need a version", 'images need a version'],
  ])('names %s in the words of who refused', async (cause, message, words) => {
    const findings = await refused(message);
    expect(told(findings)).toEqual([`${cause} Deployment shop/web`]);
    expect(findings[0]?.title).toContain(words);
  });

  it('names the Service of a webhook that does not answer', async () => {
    expect(told(await refused(calling('dial tcp 10.43.7.1:443: connect: connection refused'), [aService({ name: 'kyverno-svc', namespace: 'kyverno', spec: { selector: { app: 'elsewhere' }, ports: [{ port: 443 }] } })]))[0]).toBe('admission_webhook_unavailable Service kyverno/kyverno-svc');
  });

  it('says of a webhook that was left behind that its configuration has to go', async () => {
    const [finding] = await refused(calling('service "kyverno-svc" not found'));
    expect(finding?.cause).toBe('admission_webhook_unavailable');
    expect(JSON.stringify(finding?.remedy)).toContain('remove its ValidatingWebhookConfiguration');
  });

  it('takes what keeps the webhook from running for the root, and the refused pods for what follows', async () => {
    const webhook = aWorkload('kyverno', { namespace: 'kyverno', containers: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "registry.example.com/app:1.0": not found' } }, ready: false }], podStatus: { phase: 'Pending' } });
    const service = aService({ name: 'kyverno-svc', namespace: 'kyverno', spec: { selector: { app: 'kyverno' }, ports: [{ port: 443 }] } });
    const findings = await refused(calling('no endpoints available for service "kyverno-svc"'), [...webhook, service]);
    expect(told(findings)).toEqual(['incorrect_image_reference Deployment kyverno/kyverno']);
    expect(findings[0]?.symptoms).toContain('Deployment shop/web');
  });
});
