// The values' schemas (JSON Schema, draft 7). Helm refuses what does not fit and names the value.
const text = { type: 'string' };
const flag = { type: 'boolean' };
const whole = (minimum, maximum) => ({ type: 'integer', minimum, ...(maximum ? { maximum } : {}) });
const oneOf = (...values) => ({ enum: values });
const name = { type: 'string', pattern: '^$|^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$' };
const namespaces = { type: 'array', uniqueItems: true, items: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' } };
const quantity = { type: ['string', 'integer', 'number'], pattern: '^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$' };
const size = { type: 'string', pattern: '^$|^[0-9]+(\\.[0-9]+)?(Ki|M|Mi|G|Gi|T|Ti)?$' };
const ports = { type: 'array', minItems: 1, items: whole(1, 65535) };
const object = (properties) => ({ type: 'object', additionalProperties: false, properties });
const peers = { type: 'array', items: { type: 'object' } };
const amounts = object({ cpu: quantity, memory: quantity });
const resources = object({ requests: amounts, limits: amounts });
const tolerations = {
  type: 'array',
  items: object({ key: text, operator: oneOf('Exists', 'Equal'), value: text, effect: oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'), tolerationSeconds: whole(0) }),
};

const image = object({
  repository: { type: 'string', pattern: '^$|^[a-z0-9][a-zA-Z0-9._:/-]*[a-z0-9]$' },
  tag: { type: 'string', pattern: '^$|^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$' },
  digest: { type: 'string', pattern: '^$|^sha256:[0-9a-f]{64}$' },
  pullPolicy: oneOf('IfNotPresent', 'Always', 'Never'),
  pullSecrets: { type: 'array', items: name },
});
const redis = {
  secret: name,
  urlKey: { type: 'string', minLength: 1 },
  // No @: credentials stand in a Secret, never in values, which helm keeps readable in every revision.
  url: { type: 'string', pattern: '^$|^rediss?(-sentinel|-cluster)?://[^@]+$' },
  credentialsSecret: name,
  passwordKey: { type: 'string', minLength: 1 },
  usernameKey: text,
  caSecret: name,
  prefix: { type: 'string', pattern: '^[^{}\\s]*$' },
};
const rbac = {
  readNamespaces: namespaces,
  customResources: {
    type: 'array',
    items: {
      ...object({ apiGroup: { type: 'string', pattern: '^[a-z0-9.-]+\\.[a-z0-9.-]+$' }, resources: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[a-z0-9-]+$' } } }),
      required: ['apiGroup', 'resources'],
    },
  },
  readSecrets: flag,
};

const shared = {
  image,
  replicas: { type: ['integer', 'null'], minimum: 0, maximum: 20 },
  checkSecrets: flag,
  node: object({ name, affinity: oneOf('preferred', 'required', 'none') }),
  tolerations,
  priorityClassName: name,
  resources,
  storage: object({ size, claim: name, className: name, accessMode: oneOf('ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany') }),
  logLevel: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  leaseTtlMs: whole(300, 600_000),
  extraEnv: { type: 'array', items: { type: 'object', required: ['name'], properties: { name: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' } } } },
  podDisruptionBudget: object({ enabled: flag }),
  autoscaling: object({ enabled: flag, minReplicas: whole(1, 20), maxReplicas: whole(1, 20), targetCpuPercent: whole(1, 100) }),
  networkPolicy: object({ enabled: flag, defaultDeny: flag, from: peers, redisPorts: ports, apiServerPorts: ports, morePorts: { ...ports, minItems: 0 } }),
  metrics: object({ serviceMonitor: flag, rules: flag, labels: { type: 'object', additionalProperties: text } }),
  // What helm itself adds: values for every chart, and the library chart's own.
  global: { type: 'object' },
  'larry-common': { type: 'object' },
};

const schema = (title, properties) => ({ $schema: 'http://json-schema.org/draft-07/schema#', title, ...object(properties) });

/** Of larry-01, larry-02 and larry-03. */
export const larrySchema = () =>
  schema('Values of a Larry', {
    ...shared,
    redis: object(redis),
    keys: object({ secret: name }),
    workers: object({
      affinity: oneOf('preferred', 'required'),
      tolerations,
      priorityClassName: name,
      max: whole(1, 64),
      resources,
      ttlSecondsAfterFinished: whole(60),
      startLimitMs: whole(1000, 3_600_000),
      launchPatienceMs: whole(1000, 3_600_000),
    }),
    rbac: object({ ...rbac, writeNamespaces: namespaces }),
    repair: object({ helm: object({ namespaces, program: { type: 'string', pattern: '^/[^\\s]+$' } }) }),
  });

/** Of the meta-coordinator. */
export const metaSchema = () =>
  schema('Values of the meta-coordinator', {
    ...shared,
    redis: object({ ...redis, own: object({ image: text, size, resources }) }),
    approval: object({ secret: name }),
    keys: object({ secret: name }),
    tokens: object({ secret: name }),
    modesAllowed: { type: 'array', minItems: 1, uniqueItems: true, items: oneOf('observe', 'ask', 'auto') },
    validationTimeoutMs: whole(100, 3_600_000),
    rbac: object(rbac),
    // No @: credentials go by OTEL_EXPORTER_OTLP_HEADERS from a Secret.
    traces: object({ endpoint: { type: 'string', pattern: '^$|^https?://[^@\\s]+$' } }),
    dashboard: object({ enabled: flag, labels: { type: 'object', additionalProperties: text } }),
  });
