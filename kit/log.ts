import { trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

export type Log = Logger;

export interface LogOptions {
  /** `trace` … `fatal`, or `silent`. */
  readonly level: string;
  /** Fields on every line, such as the service's name. */
  readonly base?: Readonly<Record<string, string>>;
  /** Default: standard error. */
  readonly destination?: DestinationStream;
}

/** Structured lines (JSON), each with the ids of the span it was written in. */
export function createLog({ level, base = {}, destination = pino.destination(2) }: LogOptions): Log {
  return pino(
    {
      level,
      base,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.errWithCause },
      mixin: spanIds,
    },
    destination,
  );
}

/** A log that says nothing, for tests. */
export const silentLog: Log = pino({ level: 'silent' });

function spanIds(): Record<string, string> {
  const context = trace.getActiveSpan()?.spanContext();
  return context ? { trace_id: context.traceId, span_id: context.spanId } : {};
}
