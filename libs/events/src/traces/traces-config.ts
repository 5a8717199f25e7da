import { z } from 'zod';

/** OpenTelemetry's own variables that decide whether and where to; the exporter reads the rest (headers, certificates, compression) itself. */
export const tracesEnvironmentSchema = z.object({
  /** Of a collector: `http://otel-collector:4318`. Without it and the next one there are no traces. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  /** For traces alone: the whole address, `/v1/traces` included. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: z.string().optional(),
  /** `none`: no traces, whatever the endpoint. */
  OTEL_TRACES_EXPORTER: z.string().optional(),
  /** `true`: nothing of OpenTelemetry. */
  OTEL_SDK_DISABLED: z.string().optional(),
});
export type TracesEnvironment = z.infer<typeof tracesEnvironmentSchema>;

/** Where traces go. */
export interface TracesSettings {
  readonly url: string;
  /** The body: protobuf, or JSON. */
  readonly protocol: 'http/protobuf' | 'http/json';
}

/**
 * The settings in an environment, or `undefined` where no endpoint is set or traces are switched off.
 * @throws Error naming the variable that does not fit
 */
export function tracesSettings(env: TracesEnvironment): TracesSettings | undefined {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return undefined;
  // Empty is as if it were unset, as OpenTelemetry has it.
  if (env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return { url: addressOf('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT).href, protocol: protocolOf(env) };
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT) return undefined;
  const url = addressOf('OTEL_EXPORTER_OTLP_ENDPOINT', env.OTEL_EXPORTER_OTLP_ENDPOINT);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return { url: url.href, protocol: protocolOf(env) };
}

function addressOf(variable: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new Error(`${variable} is no address of a collector: it must be http://… or https://…, for example http://otel-collector:4318`);
  return url;
}

function protocolOf(env: TracesEnvironment): TracesSettings['protocol'] {
  const variable = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ? 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL' : 'OTEL_EXPORTER_OTLP_PROTOCOL';
  const protocol = env[variable] || 'http/protobuf';
  if (protocol !== 'http/protobuf' && protocol !== 'http/json') throw new Error(`${variable} is "${protocol}": Larry sends http/protobuf (the default) or http/json; collectors take both on port 4318`);
  return protocol;
}
