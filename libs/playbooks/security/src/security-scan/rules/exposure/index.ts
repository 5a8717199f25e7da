import { listOf, numberOf, recordOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import { defineFamily, type Hit, type Subject } from '../family';
import { exposureRules } from './rules';

/** Ports of servers that hold data or power and are seldom meant for everybody (IANA service names and the projects' defaults). */
const dataPorts: Readonly<Record<number, string>> = {
  1433: 'SQL Server', 1521: 'Oracle', 2375: 'Docker', 2376: 'Docker', 2379: 'etcd', 2380: 'etcd', 3306: 'MySQL', 5432: 'PostgreSQL', 5672: 'AMQP', 5984: 'CouchDB',
  6379: 'Redis', 6443: 'Kubernetes API', 7000: 'Cassandra', 8086: 'InfluxDB', 9042: 'Cassandra', 9092: 'Kafka', 9200: 'Elasticsearch', 9300: 'Elasticsearch', 10250: 'kubelet',
  11211: 'memcached', 15672: 'RabbitMQ', 26257: 'CockroachDB', 26379: 'Redis Sentinel', 27017: 'MongoDB',
}; // prettier-ignore

/** Services and ingresses that are reached from outside. */
export const exposure = defineFamily<Hit>({
  id: 'exposure',
  title: 'Exposure to the outside',
  rules: exposureRules,
  reads: [
    { apiVersion: 'v1', kind: 'Service' },
    { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  ],
  sift(object, seen) {
    if (object.kind === 'Service') return serviceHit(object, seen.subject);
    return object.kind === 'Ingress' ? ingressHit(object, seen.subject) : undefined;
  },
  judge: (kept) => [...kept],
});

/** One finding a service: the worst that can be said of it. */
function serviceHit(object: KubeObject, subject: () => Subject): Hit | undefined {
  const spec = recordOf(object['spec']);
  const type = textOf(spec['type']) ?? 'ClusterIP';
  const addresses = listOf(spec['externalIPs']);
  const outside = type === 'LoadBalancer' || type === 'NodePort';
  if (!outside && addresses.length === 0) return undefined;
  const seen = [{ at: '.spec.type', value: type }];
  const data = listOf(spec['ports']).flatMap((entry, i) => {
    const known = [numberOf(valueIn(entry, 'port')), numberOf(valueIn(entry, 'targetPort'))].find(
      (p) => p !== undefined && dataPorts[p] !== undefined,
    );
    return known === undefined ? [] : [{ at: `.spec.ports[${i}]`, value: `${known} (${dataPorts[known]})` }];
  });
  const limited = type === 'LoadBalancer' && limitedSources(object, spec);
  const hit = (rule: string, evidence: Hit['evidence'], fix: Hit['fix']): Hit => ({
    rule,
    subject: subject(),
    evidence,
    fix,
  });
  if (data.length > 0 && !limited) {
    return hit('exposure/data-port', [...seen, ...data], {
      kind: 'fields',
      changes: [{ path: ['spec', 'type'], value: 'ClusterIP' }],
      note: 'who connects from outside now needs another way in first (kubectl port-forward, a VPN, an ingress)',
    });
  }
  if (addresses.length > 0) {
    return hit('exposure/external-ip', [{ at: '.spec.externalIPs', value: JSON.stringify(addresses) }], {
      kind: 'fields',
      changes: [{ path: ['spec', 'externalIPs'], remove: true }],
    });
  }
  if (type === 'NodePort')
    return hit('exposure/node-port', seen, {
      kind: 'decide',
      reason:
        'if nobody outside needs it, set .spec.type to ClusterIP; else put it behind an ingress, or accept it in the exceptions file',
    });
  if (limited) return undefined;
  return hit('exposure/load-balancer', [...seen, { at: '.spec.loadBalancerSourceRanges', value: 'absent' }], {
    kind: 'decide',
    reason:
      'if not everybody is meant, list who is in .spec.loadBalancerSourceRanges; else accept it in the exceptions file',
  });
}

function limitedSources(object: KubeObject, spec: Record<string, unknown>): boolean {
  const ranges = listOf(spec['loadBalancerSourceRanges']);
  if (ranges.length > 0) return !ranges.some((r) => r === '0.0.0.0/0' || r === '::/0');
  // Annotations by which clouds are asked for an address of the private network.
  return Object.entries(object.metadata.annotations ?? {}).some(
    ([key, value]) => /load-balancer-(internal|type|scheme)$/.test(key) && /^(true|internal)$/i.test(value),
  );
}

function ingressHit(object: KubeObject, subject: () => Subject): Hit | undefined {
  const hosts = listOf(valueIn(object, 'spec', 'rules')).map((entry) => textOf(valueIn(entry, 'host')) ?? '');
  const tls = listOf(valueIn(object, 'spec', 'tls'));
  const covered = tls.flatMap((entry) => listOf(valueIn(entry, 'hosts')).map(String));
  // An entry of `tls` without hosts covers all of them.
  if (tls.some((entry) => listOf(valueIn(entry, 'hosts')).length === 0)) return undefined;
  const served = hosts.length > 0 ? hosts : [''];
  const open = served.map((host, i) => ({ host, i })).filter(({ host }) => !covered.some((c) => covers(c, host)));
  if (open.length === 0) return undefined;
  return {
    rule: 'exposure/ingress-without-tls',
    subject: subject(),
    evidence: open.map(({ host, i }) => ({
      at: `.spec.rules[${i}].host`,
      value: host === '' ? 'absent (every host)' : host,
    })),
    fix: tlsFix(
      object.metadata.name,
      tls,
      open.map(({ host }) => host),
    ),
  };
}

/** The list of `tls` is replaced as a whole, so what is there stays in it. */
function tlsFix(name: string, tls: unknown[], hosts: string[]): Hit['fix'] {
  if (hosts.includes(''))
    return {
      kind: 'decide',
      reason:
        'name the hosts in .spec.rules, and add .spec.tls with them and the name of a Secret of type kubernetes.io/tls',
    };
  const value = [...tls, { hosts, secretName: `${name}-tls` }];
  return {
    kind: 'fields',
    changes: [{ path: ['spec', 'tls'], value }],
    note: 'the Secret of type kubernetes.io/tls has to be there, for instance by cert-manager; until then the controller shows a certificate of its own',
  };
}

/** A wildcard covers one label, as in RFC 6125. */
function covers(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  const dot = host.indexOf('.');
  return pattern === host || (dot > 0 && host.slice(dot) === pattern.slice(1));
}
