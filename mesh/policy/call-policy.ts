import type { Code } from '#kit';

/**
 * What the runtime does for calls, beyond carrying them. Everything is on by default; `enabled: false` switches one
 * mechanism off and leaves the others as they are. Where the numbers come from, strongest first: a live document, the
 * settings, the contract, the defaults below.
 */
export interface Retries {
  readonly enabled: boolean;
  /** Attempts in all, the first one included. */
  readonly maxAttempts: number;
  /** Pause before the first retry at most; doubles, with full jitter (base 25: up to 25, 50, 100 ms). */
  readonly baseMs: number;
  readonly maxMs: number;
  /** How long one attempt may take; Infinity: as long as the call has left. */
  readonly perTryTimeoutMs: number;
  /** Failures that another attempt may mend, of methods that may be called twice. */
  readonly codes: readonly Code[];
}

export interface Hedging {
  readonly enabled: boolean;
  /** Attempts in all. */
  readonly maxAttempts: number;
  /** A further attempt is sent once this share of earlier calls would have been answered, in percent. */
  readonly percentile: number;
  /** Never sooner than this. */
  readonly minDelayMs: number;
}

/** What may be spent on further attempts at one destination, by retries and hedges together. */
export interface Budget {
  readonly enabled: boolean;
  /** Share of the calls, in percent. */
  readonly percent: number;
  /** As many a second in any case, for destinations that are hardly called. */
  readonly perSecond: number;
}

export interface Balancing {
  /** Prefers instances of the caller's own zone while enough of them are healthy. */
  readonly zoneAware: boolean;
  /** How long a new instance works up to its full share; 0: none. */
  readonly slowStartMs: number;
  /** HTTP/2 connections to each instance. */
  readonly connectionsPerInstance: number;
}

/** When an instance is left out because calls to it fail. */
export interface Ejection {
  readonly enabled: boolean;
  /** Failures one after another. */
  readonly consecutiveFailures: number;
  /** Failing by this much more than the other instances, in percentage points, and by more than luck explains. */
  readonly failurePercentMargin: number;
  /** Slower than the others' middle by this factor. */
  readonly latencyFactor: number;
  /** Calls that it takes to be judged by share or by latency; collected for up to five intervals. */
  readonly minCalls: number;
  readonly intervalMs: number;
  /** First time out; doubles with each ejection, up to `maxMs`. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Share of instances that may be out at once while the others answer, in percent; one always may where there are two. */
  readonly maxPercent: number;
}

/** When a destination as a whole is not called. */
export interface Circuit {
  /** Whether a destination whose instances all fail is left alone for a while; the cap below holds in any case. */
  readonly enabled: boolean;
  /** Calls on their way to one destination from this process at most; Infinity: no cap. */
  readonly maxInFlight: number;
}

/** How many calls a server works on at once. */
export interface Admission {
  readonly enabled: boolean;
  readonly minLimit: number;
  readonly initialLimit: number;
  readonly maxLimit: number;
  /** Calls that wait for their turn at most. */
  readonly maxQueued: number;
  /** How long one may wait where the line stands; up to eight times that in a burst. */
  readonly maxQueuedMs: number;
}

/** Per method of the callee. */
export interface MethodPolicy {
  readonly retries: Retries;
  readonly hedging: Hedging;
}

/** Per service that is called. */
export interface DestinationPolicy {
  readonly budget: Budget;
  readonly balancing: Balancing;
  readonly ejection: Ejection;
  readonly circuit: Circuit;
}

/** Per service that serves. */
export interface ServerPolicy {
  readonly admission: Admission;
}

/** The value that holds now: read it where it is used, and do not keep it. */
export interface Live<T> {
  readonly current: T;
}

/** Where mechanisms find their numbers. */
export interface Policies {
  method(service: string, method: string): Live<MethodPolicy>;
  destination(service: string): Live<DestinationPolicy>;
  server(service: string): Live<ServerPolicy>;
}
