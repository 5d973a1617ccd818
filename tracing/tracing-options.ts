import type { Tracer } from '@opentelemetry/api';

import type { Clock, Log, Random, Stoppable } from '#kit';

/** Who takes the spans: an OTLP/HTTP receiver, Jaeger's thrift-over-HTTP receiver, or nobody. */
export type ExporterName = 'otlp' | 'jaeger' | 'none';

export interface TracingOptions {
  /** With `none` there are still spans, so that trace ids reach the log and the next hop; they end in this process. */
  readonly exporter: ExporterName;
  /**
   * Base address such as `http://127.0.0.1:4318`; `/v1/traces` is appended to its path.
   * Source: OpenTelemetry Protocol Exporter, "Endpoint URLs for OTLP/HTTP".
   */
  readonly otlpEndpoint?: string;
  /** Full address such as `http://127.0.0.1:14268/api/traces`; nothing is appended. */
  readonly jaegerEndpoint?: string;
  /** Share of the traces that begin here and are recorded, 0 to 1. A caller's decision, in its `traceparent`, goes first. */
  readonly sampleRatio: number;
  readonly log: Log;
  /** How long an ended span waits for others to be sent with it. Default 500 ms. */
  readonly batchDelayMs?: number;
  /** Ended spans held back at most; more are dropped. Default 4,096 (about 6 MB). */
  readonly maxQueuedSpans?: number;
  /** How long one batch is tried. Default 3,000 ms: at once, and if refused again after about 1 and 2.5 s. */
  readonly exportTimeoutMs?: number;
  /** How long `flush()`, and each half of `stop()`, may take. Default 2,000 ms. */
  readonly flushTimeoutMs?: number;
  /** Says when a backend that is down is tried again: every second. Default: the system's. */
  readonly clock?: Clock;
  /** Makes the ids of traces and spans. Default: the system's. */
  readonly random?: Random;
}

/** What tells the spans of one service module from those of another, also within one process. */
export interface TracedService {
  /** `service.name`, such as `order`. */
  readonly service: string;
  /** `service.version`. */
  readonly version: string;
  /** `service.instance.id`: unique among the running instances of the service. */
  readonly instanceId: string;
}

/** A process's tracing. There is one of it in a process: context and propagation are the process's. */
export interface Tracing extends Stoppable {
  /**
   * A tracer whose spans carry the service as their resource. It can be used at once;
   * the same service gives the same tracer. Take it once and keep it.
   */
  tracer(service: TracedService): Tracer;
  /** Sends what has ended so far. Never rejects; gives up after `flushTimeoutMs`. */
  flush(): Promise<void>;
  /** Sends what is left, in bounded time, and leaves no timer, socket or global behind. Never rejects. */
  stop(): Promise<void>;
}
