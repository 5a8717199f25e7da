import { listOf, numberOf, recordOf, refOf, textOf, valueIn, type KubeObject, type ObjectRef } from '@larry/contracts';
import { parseAddress, serviceNameOf } from '../facts/addresses';
import type { Facts } from '../facts/model';
import { objectKey } from '../facts/object-index';

/** One rule of a gateway: what it matches, and the Service that it sends that to. */
export interface Route {
  /** Graph key of the object that holds the rule. */
  key: string;
  object: ObjectRef;
  service: { namespace: string; name: string };
  port?: number | string;
  path?: string;
  /** JSON pointer to the backend's name, or `/data/<key>` of a ConfigMap. */
  at: string;
  /** The text of the rule, for people. */
  text: string;
  /** The rule is a line of a gateway's own configuration, which may also speak of other things. */
  fromText: boolean;
}

/** The rules of Ingresses, Gateway API routes, Istio's VirtualServices, Traefik's IngressRoutes and the route tables in ConfigMaps. */
export function routesOf(facts: Facts): Route[] {
  const { objects } = facts;
  return [
    ...objects.list('Ingress').flatMap(ofIngress),
    ...['HTTPRoute', 'GRPCRoute'].flatMap((kind) => objects.list(kind).flatMap(ofGatewayRoute)),
    ...objects.list('VirtualService').flatMap((object) => ofVirtualService(object, facts)),
    ...objects.list('IngressRoute').flatMap(ofIngressRoute),
    ...objects.list('ConfigMap').flatMap((object) => ofConfigMap(object, facts)),
  ];
}

function ofIngress(object: KubeObject): Route[] {
  const backends = [
    { backend: valueIn(object, 'spec', 'defaultBackend'), at: '/spec/defaultBackend', path: undefined },
    ...listOf(valueIn(object, 'spec', 'rules')).flatMap((rule, r) =>
      listOf(valueIn(rule, 'http', 'paths')).map((path, p) => ({ backend: valueIn(path, 'backend'), at: `/spec/rules/${r}/http/paths/${p}/backend`, path: hinted(textOf(valueIn(path, 'path')), textOf(valueIn(rule, 'host'))) })),
    ),
  ];
  return backends.flatMap(({ backend, at, path }) => {
    const name = textOf(valueIn(backend, 'service', 'name'));
    const port = numberOf(valueIn(backend, 'service', 'port', 'number')) ?? textOf(valueIn(backend, 'service', 'port', 'name'));
    return name ? [route(object, name, { at: `${at}/service/name`, path, port })] : [];
  });
}

/** A rule for a whole host is named by the host: `cart.example.com` for `/cart`. */
function hinted(path: string | undefined, host: string | undefined): string | undefined {
  const label = host?.split('.')[0];
  return (path === undefined || path === '/') && label && !/^(?:www|\*)$/.test(label) ? `/${label}` : path;
}

function ofGatewayRoute(object: KubeObject): Route[] {
  return listOf(valueIn(object, 'spec', 'rules')).flatMap((rule, r) => {
    const path = textOf(valueIn(listOf(valueIn(rule, 'matches'))[0], 'path', 'value'));
    return listOf(valueIn(rule, 'backendRefs')).flatMap((backend, b) => {
      const name = textOf(valueIn(backend, 'name'));
      if (!name || (valueIn(backend, 'kind') ?? 'Service') !== 'Service') return [];
      const namespace = textOf(valueIn(backend, 'namespace'));
      return [route(object, name, { at: `/spec/rules/${r}/backendRefs/${b}/name`, path, port: numberOf(valueIn(backend, 'port')), namespace })];
    });
  });
}

function ofVirtualService(object: KubeObject, facts: Facts): Route[] {
  return ['http', 'tcp', 'tls'].flatMap((protocol) =>
    listOf(valueIn(object, 'spec', protocol)).flatMap((rule, r) => {
      const uri = recordOf(valueIn(listOf(valueIn(rule, 'match'))[0], 'uri'));
      const path = textOf(uri['prefix']) ?? textOf(uri['exact']) ?? textOf(uri['regex']);
      return listOf(valueIn(rule, 'route')).flatMap((target, t) => {
        const host = textOf(valueIn(target, 'destination', 'host'));
        const service = host === undefined ? undefined : serviceNameOf(host, object.metadata.namespace ?? '', facts);
        const port = numberOf(valueIn(target, 'destination', 'port', 'number'));
        return service ? [route(object, service.name, { at: `/spec/${protocol}/${r}/route/${t}/destination/host`, path, port, namespace: service.namespace })] : [];
      });
    }),
  );
}

function ofIngressRoute(object: KubeObject): Route[] {
  return listOf(valueIn(object, 'spec', 'routes')).flatMap((rule, r) =>
    listOf(valueIn(rule, 'services')).flatMap((service, s) => {
      const name = textOf(valueIn(service, 'name'));
      const path = /Path(?:Prefix)?\(`([^`]+)`/.exec(textOf(valueIn(rule, 'match')) ?? '')?.[1];
      const port = numberOf(valueIn(service, 'port')) ?? textOf(valueIn(service, 'port'));
      return name && !name.includes('@') && (valueIn(service, 'kind') ?? 'Service') === 'Service' ? [route(object, name, { at: `/spec/routes/${r}/services/${s}/name`, path, port, namespace: textOf(valueIn(service, 'namespace')) })] : [];
    }),
  );
}

const targetLine = /(?:proxy_pass|fastcgi_pass|grpc_pass|server|uri|url|backend|reverse_proxy|address|target|upstream)\s*(?:[:=]\s*)?['"]?((?:https?|lb|grpc|tcp|ws):\/\/[^\s'";,]+|[a-z0-9][a-z0-9.-]*:\d{2,5})/i;
const pathLine = /(?:^\s*-\s+(?=\/)|location\s+(?:[=~^*]+\s*)?|Path=|path(?:_prefix|Prefix)?\s*[:=]\s*|prefix\s*[:=]\s*|handle(?:_path)?\s+)['"]?(\/[^\s'",{}]*)/i;
const looksLikeRoutes = /proxy_pass|uri:\s*['"]?(?:lb|https?):|reverse_proxy|route_config|Path=|routes:|upstream\s/;

/** Lines of nginx, Caddy, Envoy and Spring Cloud Gateway that say where requests go; the path is the nearest one around the target. */
function ofConfigMap(object: KubeObject, facts: Facts): Route[] {
  const found: Route[] = [];
  for (const [key, text] of Object.entries(recordOf(object['data']))) {
    if (typeof text !== 'string' || text.length > 64 * 1024 || !looksLikeRoutes.test(text)) continue;
    const upstreams = upstreamsIn(text);
    const lines = withoutUpstreams(text).split('\n').slice(0, 3_000);
    let path: { value: string; line: number } | undefined;
    lines.forEach((line, index) => {
      if (/^\s*#/.test(line)) return;
      const seen = pathLine.exec(line)?.[1];
      if (seen) path = { value: seen, line: index };
      const target = targetLine.exec(line)?.[1];
      const named = target === undefined ? undefined : parseAddress(target, false);
      const address = named && named.port === undefined && upstreams.has(named.host) ? parseAddress(upstreams.get(named.host) ?? '', true) : named;
      const service = address && serviceNameOf(address.host, object.metadata.namespace ?? '', facts);
      if (!service || address === undefined) return;
      const after = lines.slice(index, index + 5).map((l) => pathLine.exec(l)?.[1]).find((p) => p !== undefined);
      const springs = /lb:|uri/i.test(line);
      const near = springs ? (after ?? nearPath(path, index)) : nearPath(path, index);
      found.push({ ...route(object, service.name, { at: `/data/${key}`, path: near, port: address.port, namespace: service.namespace }), text: line.trim().slice(0, 300), fromText: true });
    });
  }
  return found;
}

const upstreamBlock = /upstream\s+([\w.-]+)\s*\{([^}]{0,8000})\}/g;

/** nginx's groups of servers by name: the first server of each. */
function upstreamsIn(text: string): Map<string, string> {
  return new Map([...text.matchAll(upstreamBlock)].flatMap(([, name = '', body = '']) => {
    const server = /server\s+([^\s;]+)/.exec(body)?.[1];
    return server ? [[name, server] as const] : [];
  }));
}

const withoutUpstreams = (text: string): string => text.replace(upstreamBlock, (block) => block.replace(/[^\n]/g, ' '));

const nearPath = (path: { value: string; line: number } | undefined, line: number): string | undefined => (path && line - path.line <= 8 ? path.value : undefined);

function route(object: KubeObject, name: string, parts: { at: string; path?: string | undefined; port?: number | string | undefined; namespace?: string | undefined }): Route {
  const namespace = parts.namespace ?? object.metadata.namespace ?? '';
  return {
    key: objectKey(object),
    object: refOf(object),
    service: { namespace, name },
    at: parts.at,
    text: `${parts.path ?? 'everything'} to ${name}${parts.port === undefined ? '' : `:${parts.port}`}`,
    fromText: false,
    ...(parts.path === undefined ? {} : { path: parts.path }),
    ...(parts.port === undefined ? {} : { port: parts.port }),
  };
}
