import type { Log, Stoppable } from '#kit';

export interface CollectorOptions {
  /** Address to listen on, such as `127.0.0.1`. */
  readonly host: string;
  /** For OTLP over HTTP; by convention 4318. 0 takes a free one. */
  readonly otlpPort: number;
  /** For the query API; by convention 16686. 0 takes a free one. */
  readonly queryPort: number;
  readonly log: Log;
  /** Spans kept; beyond it the oldest trace goes. Default 20,000. */
  readonly maxSpans?: number;
  /** Spans kept of one trace; more of it are dropped, and the trace says so. Default 5,000. */
  readonly maxSpansPerTrace?: number;
  /** What the kept spans may weigh, measured as they came over the wire. Default 32 MiB. */
  readonly maxBytes?: number;
  /** Largest body accepted, after decompression. Default 8 MiB. */
  readonly maxBodyBytes?: number;
}

/** A running span collector. */
export interface Collector extends Stoppable {
  /** Base address for OTLP, `/v1/traces` below it. */
  readonly otlpUrl: string;
  /** Base address of the query API. */
  readonly queryUrl: string;
}
