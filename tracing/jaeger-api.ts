/**
 * The JSON of Jaeger's HTTP query API, as Jaeger 2 answers it. It is what Jaeger's own UI reads; it has no schema,
 * so these types were read off the answers. Source: https://www.jaegertracing.io/docs/2.5/apis/ ("Internal HTTP JSON").
 */
export interface JaegerAnswer<T> {
  readonly data: T | null;
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
  readonly errors: readonly { readonly code: number; readonly msg: string }[] | null;
}

export interface JaegerTrace {
  /** 32 lower-case hexadecimal digits. */
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  /** By `processID`. */
  readonly processes: Readonly<Record<string, JaegerProcess>>;
  readonly warnings: readonly string[] | null;
}

export interface JaegerSpan {
  readonly traceID: string;
  /** 16 lower-case hexadecimal digits. */
  readonly spanID: string;
  readonly operationName: string;
  /** The parent is the first CHILD_OF within the trace; OpenTelemetry links are FOLLOWS_FROM. */
  readonly references: readonly JaegerReference[];
  /** Microseconds since the epoch. */
  readonly startTime: number;
  /** Microseconds. */
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly JaegerLog[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

export interface JaegerReference {
  readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
  readonly traceID: string;
  readonly spanID: string;
}

export interface JaegerTag {
  readonly key: string;
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary';
  readonly value: string | number | boolean;
}

export interface JaegerLog {
  /** Microseconds since the epoch. */
  readonly timestamp: number;
  readonly fields: readonly JaegerTag[];
}

export interface JaegerProcess {
  readonly serviceName: string;
  /** The resource's other attributes. */
  readonly tags: readonly JaegerTag[];
}
