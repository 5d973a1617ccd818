import { TOKEN_SETTING, unavailable } from './failure.ts';
import type { PackageResponse } from './package.ts';

/** A read that waits on the server until something is newer than `index`. */
export interface BlockingRead {
  /** What the last answer came with; 0 answers at once. */
  readonly index: number;
  /** How long the server may wait. */
  readonly waitMs: number;
  /** Ask the leader, so that no stale or cached copy answers. */
  readonly fresh?: boolean;
  readonly signal: AbortSignal;
}

export interface BlockingAnswer<T> {
  /** 0 when the server gave none that can be used. */
  readonly index: number;
  readonly value: T;
}

/** Over the server's own waiting, for the way there and back and a busy machine. */
const SLACK_MS = 2_000;

/**
 * Consul waits up to a sixteenth longer than it is asked to
 * (https://developer.hashicorp.com/consul/api-docs/features/blocking): only after
 * that is silence a sign that nobody is there (60 s: 65.75 s).
 */
export function blockingTimeoutMs(waitMs: number): number {
  return Math.ceil(waitMs + waitMs / 16 + SLACK_MS);
}

/** The query in the package's terms. No `near`: it would switch streaming off. */
export function blockingQuery({ index, waitMs, fresh }: BlockingRead): Readonly<Record<string, unknown>> {
  const consistency = fresh ? { consistent: true } : {};
  return index > 0 ? { index, wait: `${waitMs}ms`, ...consistency } : consistency;
}

export function answeredIndex({ headers }: PackageResponse): number {
  const index = Number(headers['x-consul-index']);
  return Number.isSafeInteger(index) ? index : 0;
}

/** An empty list because the token may not see what is there is no empty list. */
export function refuseHiddenResults({ headers }: PackageResponse, what: string): void {
  if (headers['x-consul-results-filtered-by-acls'] !== 'true') return;
  throw unavailable('refused', `the token in ${TOKEN_SETTING} may not read ${what}; give it the right to`);
}
