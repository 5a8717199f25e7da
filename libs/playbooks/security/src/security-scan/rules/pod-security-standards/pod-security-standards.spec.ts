import type { JsonRecord } from '@larry/contracts';
import * as fc from 'fast-check';
import { breaking, compliant } from './__fixtures__/compliant-pod';
import { viewOf } from '../../__fixtures__/views';
import { controls, podHits } from '.';
import { breaches } from './__fixtures__/breaches';
import { podSecurityRules } from './rules';

const rulesOf = (spec: JsonRecord, metadata?: JsonRecord) => podHits(viewOf(spec, metadata)).map((h) => h.rule);

describe('the Pod Security Standards', () => {
  it('find nothing in a pod that meets restricted', () => {
    expect(rulesOf(compliant())).toEqual([]);
  });

  it('have a breaching case for every control', () => {
    expect([...new Set(breaches.map((b) => b.rule))].sort()).toEqual(controls.map((c) => c.rule.id).sort());
  });

  it.each(breaches)('$rule: $what', ({ rule, spec, metadata, at, value }) => {
    const hits = podHits(viewOf(spec(), metadata));
    expect(hits.map((h) => h.rule)).toEqual([rule]);
    expect(hits[0]?.evidence).toEqual([{ at, value }]);
  });

  it('give every control an entry in the table of rules', () => {
    const known = podSecurityRules.map((r) => r.id);
    expect(controls.filter((c) => !known.includes(c.rule.id))).toEqual([]);
  });

  it('break exactly the control that one change to a compliant pod breaks', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...breaches),
        fc.constantFrom('containers', 'initContainers', 'ephemeralContainers'),
        fc.nat(3),
        ({ rule, inContainer }, list, before) => {
          if (!inContainer) return;
          const spec = compliant();
          const others = Array.from({ length: before }, (_, i) => ({ ...breaking({}), name: `other-${i}` }));
          const kept = list === 'containers' ? {} : { containers: spec['containers'] };
          const mutated = {
            ...spec,
            ...kept,
            ...(inContainer.spec ?? {}),
            [list]: [...others, breaking(inContainer.container)],
          };
          const hits = podHits(viewOf(mutated));
          expect(hits.map((h) => h.rule)).toEqual([rule]);
          expect(hits[0]?.evidence.every((e) => e.at.startsWith(`.spec.template.spec.${list}[${before}]`))).toBe(true);
        },
      ),
    );
  });

  it('say one hit for all containers that break a control, with a pointer to each', () => {
    const spec = {
      ...compliant(),
      containers: [breaking({ privileged: true }), { ...breaking({ privileged: true }), name: 'b' }],
      initContainers: [breaking({ privileged: true })],
    };
    const hits = podHits(viewOf(spec));
    expect(hits).toHaveLength(1);
    expect(hits[0]?.evidence.map((e) => e.at)).toEqual([
      '.spec.template.spec.initContainers[0].securityContext.privileged',
      '.spec.template.spec.containers[0].securityContext.privileged',
      '.spec.template.spec.containers[1].securityContext.privileged',
    ]);
  });

  describe.each([
    ['null', null],
    ['an empty object', {}],
    ['a string', 'x'],
    ['a list', []],
  ])('with %s for a security context', (_, securityContext) => {
    it('judge the container as one that says nothing', () => {
      const spec = { ...compliant(), containers: [{ name: 'app', image: 'a', securityContext }] };
      expect(rulesOf(spec)).toEqual(['pss-restricted/privilege-escalation', 'pss-restricted/capabilities']);
    });

    it('judge the pod as one that says nothing', () => {
      const spec = { ...compliant(), securityContext, containers: [breaking({})] };
      expect(rulesOf(spec)).toEqual(['pss-restricted/run-as-non-root', 'pss-restricted/seccomp']);
    });
  });
});

describe('what a pod says for its containers', () => {
  it('counts for containers that say nothing themselves', () => {
    expect(
      rulesOf({
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost' } },
        containers: [breaking({})],
      }),
    ).toEqual([]);
  });

  it('does not count against a container that says better', () => {
    const container = breaking({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(rulesOf({ containers: [container] })).toEqual([]);
  });

  it('is a breach by itself when it says worse, whatever the containers say', () => {
    const spec = {
      securityContext: { runAsNonRoot: false, seccompProfile: { type: 'Unconfined' } },
      containers: [breaking({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })],
    };
    expect(rulesOf(spec)).toEqual(['pss-baseline/seccomp', 'pss-restricted/run-as-non-root']);
  });

  it('does not excuse a container that overrides it', () => {
    const spec = { ...compliant(), containers: [breaking({ runAsNonRoot: false, runAsUser: 0 })] };
    expect(rulesOf(spec)).toEqual(['pss-restricted/run-as-non-root', 'pss-restricted/run-as-user']);
  });
});

describe('Windows pods', () => {
  const windows = {
    os: { name: 'windows' },
    securityContext: { runAsNonRoot: true },
    containers: [{ name: 'app', image: 'a' }],
  };

  it('are free of the Linux controls of restricted', () => {
    expect(rulesOf(windows)).toEqual([]);
  });

  it('are not free of running as non-root, nor of any baseline control', () => {
    expect(rulesOf({ ...windows, securityContext: { windowsOptions: { hostProcess: true } } })).toEqual([
      'pss-baseline/host-process',
      'pss-restricted/run-as-non-root',
    ]);
  });
});

describe('pods in a user namespace of their own (hostUsers: false)', () => {
  it('may run as root, since 1.35', () => {
    expect(
      rulesOf({
        ...compliant(),
        hostUsers: false,
        securityContext: { seccompProfile: { type: 'RuntimeDefault' }, runAsUser: 0 },
      }),
    ).toEqual([]);
  });

  it('may unmask /proc under baseline and not under restricted', () => {
    const spec = { ...compliant(), containers: [breaking({ procMount: 'Unmasked' })] };
    expect(rulesOf({ ...spec, hostUsers: false })).toEqual(['pss-restricted/proc-mount']);
    expect(rulesOf({ ...spec, hostUsers: true })).toEqual(['pss-baseline/proc-mount']);
    expect(rulesOf({ ...spec, hostUsers: null })).toEqual(['pss-baseline/proc-mount']);
  });
});

describe('what the standards allow', () => {
  it.each([
    ['NET_BIND_SERVICE', breaking({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } })],
    ['more drops than ALL', breaking({ capabilities: { drop: ['NET_RAW', 'ALL'] } })],
    ['a host port of 0', { ...breaking({}), ports: [{ containerPort: 80, hostPort: 0 }] }],
    [
      'an empty probe host',
      { ...breaking({}), livenessProbe: { httpGet: { host: '', port: 1 }, tcpSocket: { host: null } } },
    ],
    [
      'the SELinux type of container engines',
      breaking({ seLinuxOptions: { type: 'container_engine_t', level: 's0' } }),
    ],
    ['a local AppArmor profile', breaking({ appArmorProfile: { type: 'Localhost', localhostProfile: 'x' } })],
    ['a false where only true is forbidden', breaking({ privileged: false, windowsOptions: { hostProcess: false } })],
  ])('%s', (_, container) => {
    expect(rulesOf({ ...compliant(), containers: [container] })).toEqual([]);
  });

  it.each([
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'image',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ])('a volume of type %s', (type) => {
    expect(
      rulesOf({
        ...compliant(),
        volumes: [{ name: 'v', [type]: {} }, { name: 'defaulted' }, { name: 'null', hostPath: null }],
      }),
    ).toEqual([]);
  });

  it.each([
    'net.ipv4.ip_local_reserved_ports',
    'net.ipv4.tcp_keepalive_time',
    'net.ipv4.tcp_rmem',
    'net.ipv4.tcp_wmem',
    'kernel.shm_rmid_forced',
  ])('the sysctl %s', (name) => {
    expect(
      rulesOf({
        ...compliant(),
        securityContext: { ...(compliant()['securityContext'] as JsonRecord), sysctls: [{ name, value: '1' }] },
      }),
    ).toEqual([]);
  });

  it('AppArmor annotations that keep a profile', () => {
    const annotations = {
      'container.apparmor.security.beta.kubernetes.io/app': 'runtime/default',
      'container.apparmor.security.beta.kubernetes.io/b': 'localhost/x',
      other: 'unconfined',
    };
    expect(rulesOf(compliant(), { annotations })).toEqual([]);
  });
});

describe('severities that depend on the value', () => {
  it.each([
    ['/', 'critical'],
    ['/var/run/docker.sock', 'critical'],
    ['/run/k3s/containerd/containerd.sock', 'critical'],
    ['/etc', 'critical'],
    ['/var/log/app', undefined],
    ['/data', undefined],
  ])('the host path %s is %s', (path, severity) => {
    expect(podHits(viewOf({ ...compliant(), volumes: [{ name: 'v', hostPath: { path } }] }))[0]?.severity).toBe(
      severity,
    );
  });

  it('SYS_ADMIN is critical, NET_ADMIN is not', () => {
    const hits = (add: string[]) =>
      podHits(viewOf({ ...compliant(), containers: [breaking({ capabilities: { drop: ['ALL'], add } })] }));
    expect(hits(['SYS_ADMIN'])[0]?.severity).toBe('critical');
    expect(hits(['NET_ADMIN'])[0]?.severity).toBeUndefined();
  });
});
