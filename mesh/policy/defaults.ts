import type { DestinationPolicy, MethodPolicy, Policies, ServerPolicy } from './call-policy.ts';

/** What holds where nobody said otherwise. */
export const METHOD_DEFAULTS: MethodPolicy = {
  retries: { enabled: true, maxAttempts: 3, baseMs: 25, maxMs: 1_000, perTryTimeoutMs: Infinity, codes: ['UNAVAILABLE'] },
  hedging: { enabled: true, maxAttempts: 2, percentile: 95, minDelayMs: 5 },
};

export const DESTINATION_DEFAULTS: DestinationPolicy = {
  budget: { enabled: true, percent: 20, perSecond: 10 },
  balancing: { zoneAware: true, slowStartMs: 5_000, connectionsPerInstance: 1 },
  ejection: {
    enabled: true,
    consecutiveFailures: 5,
    failurePercentMargin: 15,
    latencyFactor: 5,
    minCalls: 20,
    intervalMs: 1_000,
    baseMs: 2_000,
    maxMs: 60_000,
    maxPercent: 50,
  },
  circuit: { enabled: true, maxInFlight: 10_000 },
};

export const SERVER_DEFAULTS: ServerPolicy = {
  admission: { enabled: true, minLimit: 8, initialLimit: 64, maxLimit: 2_000, maxQueued: 256, maxQueuedMs: 250 },
};

/** The defaults for everybody, for processes that nobody steers. */
export const defaultPolicies: Policies = {
  method: () => ({ current: METHOD_DEFAULTS }),
  destination: () => ({ current: DESTINATION_DEFAULTS }),
  server: () => ({ current: SERVER_DEFAULTS }),
};
