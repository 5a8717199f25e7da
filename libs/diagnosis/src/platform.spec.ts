import type { KubeObject } from '@larry/contracts';
import { aNode, anEvent, aNamespace, anObject, aPod, aWorkload, crashed, diagnosed, minutesAgo, told, waiting } from './testing';

const podOf = (objects: KubeObject[]) => objects[2] as KubeObject;
const arm = (name: string) => aNode(name, { status: { nodeInfo: { architecture: 'arm64' } } });
const amd = (name: string) => aNode(name, { status: { nodeInfo: { architecture: 'amd64' } } });

describe('images and the machines they run on', () => {
  it('names the machine that an image is not for, and where it runs', async () => {
    const objects = aWorkload('web', { node: 'pi', containers: [crashed(255)] });
    const well = aPod('web-aaaaa-7', { node: 'nuc', labels: { app: 'web', 'pod-template-hash': 'aaaaa' }, controller: objects[1] as KubeObject });
    const findings = await diagnosed([arm('pi'), amd('nuc'), ...objects, well], { logs: { 'shop/web-aaaaa-0/app': ['exec /usr/local/bin/web: exec format error'] } });
    expect(told(findings)).toEqual(['image_platform_mismatch Deployment shop/web']);
    expect(findings[0]?.title).toContain('arm64 of node pi; on amd64 it runs');
  });

  it('says of a reference for which the registry has nothing for the machine which machine that is', async () => {
    const objects = aWorkload('web', { node: 'pi', containers: [waiting('ImagePullBackOff', 'Back-off pulling image "registry.example.com/app:1.0"')], podStatus: { phase: 'Pending' } });
    const event = anEvent(podOf(objects), 'Failed', 'Failed to pull image "registry.example.com/app:1.0": rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/app:1.0": no match for platform in manifest: not found');
    const findings = await diagnosed([arm('pi'), ...objects, event]);
    expect(told(findings)).toEqual(['incorrect_image_reference Deployment shop/web']);
    expect(findings[0]?.title).toContain('for arm64');
  });

  it.each([
    ['container has runAsNonRoot and image will run as root (pod: "web-aaaaa-0_shop(u)", container: app)', 'must not run as root, and its image does'],
    ['container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root (pod: "web-aaaaa-0_shop(u)", container: app)', 'user node, a name'],
  ])('says which user the rules forbid: %s', async (message, words) => {
    const findings = await diagnosed([aNode(), ...aWorkload('web', { containers: [waiting('CreateContainerConfigError', message)], podStatus: { phase: 'Pending' } })]);
    expect(told(findings)).toEqual(['run_as_non_root_violation Deployment shop/web']);
    expect(findings[0]?.title).toContain(words);
  });
});

describe('ports and networks of nodes', () => {
  it('names who has the port of the node', async () => {
    const message = "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
    const ports = [{ spec: { ports: [{ containerPort: 80, hostPort: 80 }] } }];
    const objects = aWorkload('proxy', { node: null, containers: ports, podStatus: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] } });
    const findings = await diagnosed([aNode(), ...aWorkload('traefik', { namespace: 'kube-system', containers: ports }), ...objects]);
    expect(told(findings)).toEqual(['host_port_conflict Deployment shop/proxy']);
    expect(findings[0]?.title).toContain('port 80, which proxy asks for, is taken by pod kube-system/traefik-aaaaa-0');
  });

  it('names the node on which pods get no network, once for all of them', async () => {
    const stuck = ['a', 'b'].flatMap((name) => {
      const objects = aWorkload(name, { containers: [waiting('ContainerCreating')], podStatus: { phase: 'Pending' }, ageMinutes: 20 });
      return [...objects, anEvent(podOf(objects), 'FailedCreatePodSandBox', 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "1f": plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory')];
    });
    expect(told(await diagnosed([aNode(), ...stuck]))).toEqual(['node_pod_network_unavailable Node node-1']);
  });
});

describe('what ends, and what does not', () => {
  it('names the Job that was ended for its time', async () => {
    const job = anObject('batch/v1', 'Job', { name: 'backup', namespace: 'shop', spec: { activeDeadlineSeconds: 600, template: { spec: { containers: [{ name: 'app' }] } } }, status: { conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }] } });
    expect(told(await diagnosed([aNode(), job]))).toEqual(['job_deadline_exceeded Job shop/backup']);
  });

  it('says what holds up a namespace that shall be gone, and nothing in its first minutes', async () => {
    const going = (minutes: number) => aNamespace('old', { metadata: { deletionTimestamp: minutesAgo(minutes) }, status: { phase: 'Terminating', conditions: [{ type: 'NamespaceFinalizersRemaining', status: 'True', message: 'Some content in the namespace has finalizers remaining: longhorn.io in 2 resource instances' }] } });
    const findings = await diagnosed([aNode(), going(30)]);
    expect(told(findings)).toEqual(['finalizer_pending Namespace old']);
    expect(findings[0]?.title).toContain('longhorn.io');
    expect(await diagnosed([aNode(), going(1)])).toEqual([]);
  });
});
