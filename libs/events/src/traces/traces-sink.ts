import { SpanKind, SpanStatusCode, TraceFlags, type HrTime, type SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { EventLog } from '../guard';
import type { MirroredEvent, MirrorSink } from '../mirror/mirror';
import { spansOf, type RunSpan } from './spans';
import type { TracesSettings } from './traces-config';

/** Bad request, too large, not understood: the same spans would be refused again. */
const refusals = new Set([400, 413, 415, 422]);
const success = 0;

/** Spans to an OpenTelemetry collector (OTLP over HTTP), by OpenTelemetry's own exporters. */
export class TracesSink implements MirrorSink {
  readonly name = 'traces';
  private readonly exporter: JsonExporter | ProtobufExporter;
  private readonly resources = new Map<string, Resource>();

  constructor(
    private readonly settings: TracesSettings,
    private readonly log: EventLog,
  ) {
    const { url, protocol } = settings;
    this.exporter = protocol === 'http/json' ? new JsonExporter({ url }) : new ProtobufExporter({ url });
  }

  async deliver(events: readonly MirroredEvent[], signal: AbortSignal): Promise<void> {
    const spans = events.flatMap(({ event }) => spansOf(event));
    if (spans.length === 0) return;
    const error = await this.export(spans, signal);
    if (!error) return;
    const { code } = error as Error & { code?: unknown };
    const at = new URL(this.settings.url).host;
    if (typeof code === 'number' && refusals.has(code)) {
      this.log.warn({ status: code, spans: spans.length, collector: at }, 'the collector refuses these spans; they are not sent again');
      return;
    }
    throw new Error(`the collector at ${at} does not take the traces (${typeof code === 'number' ? `it answers ${code}` : error.message}): check OTEL_EXPORTER_OTLP_ENDPOINT`);
  }

  close(): Promise<void> {
    return this.exporter.shutdown();
  }

  /** The exporter tries for as long as OTEL_EXPORTER_OTLP_TIMEOUT says; nobody waits for that once the signal came. */
  private export(spans: readonly RunSpan[], signal: AbortSignal): Promise<Error | undefined> {
    return new Promise((resolve) => {
      const stopped = (): void => resolve(new Error('stopped'));
      signal.addEventListener('abort', stopped);
      this.exporter.export(spans.map((span) => this.readable(span)), ({ code, error }) => {
        signal.removeEventListener('abort', stopped);
        resolve(code === success ? undefined : (error ?? new Error('it did not say why')));
      });
    });
  }

  private readable(span: RunSpan): ReadableSpan {
    const contextOf = (spanId: string): SpanContext => ({ traceId: span.traceId, spanId, traceFlags: TraceFlags.SAMPLED });
    return {
      name: span.name,
      kind: SpanKind.INTERNAL,
      spanContext: () => contextOf(span.spanId),
      ...(span.parentId === undefined ? {} : { parentSpanContext: contextOf(span.parentId) }),
      startTime: hrTime(span.fromMs),
      endTime: hrTime(span.toMs),
      duration: hrTime(span.toMs - span.fromMs),
      ended: true,
      status: span.problem === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: span.problem },
      attributes: span.attributes,
      resource: this.resourceOf(span.service),
      instrumentationScope: { name: 'larry' },
      links: [],
      events: [],
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  }

  /** Each Larry is a service of its own; OTEL_RESOURCE_ATTRIBUTES adds to all of them. */
  private resourceOf(service: string): Resource {
    const known = this.resources.get(service);
    if (known) return known;
    const given = detectResources({ detectors: [envDetector] });
    const made = given.merge(resourceFromAttributes({ 'service.name': service, 'service.namespace': 'larry' }));
    this.resources.set(service, made);
    return made;
  }
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
