import type { EventLog } from '../guard';
import type { MirrorSink } from '../mirror/mirror';
import type { TracesSettings } from './traces-config';

/** A sink for `mirrorEvents` that makes spans of events. OpenTelemetry's libraries are loaded here and nowhere before. */
export async function tracesSink(settings: TracesSettings, log: EventLog): Promise<MirrorSink> {
  const { TracesSink } = await import('./traces-sink.js');
  return new TracesSink(settings, log);
}
