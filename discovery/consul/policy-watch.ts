import type { Policy } from '../control-plane.ts';
import { type ConfirmedWatchOptions, createConfirmedWatch } from './confirmed-watch.ts';
import type { PolicyCalls } from './policy-calls.ts';
import type { SharedWatch } from './shared-watch.ts';

export interface PolicyWatchOptions extends ConfirmedWatchOptions {
  readonly consul: Pick<PolicyCalls, 'policies'>;
}

/** The watch on every policy under a prefix. That the last one is gone is confirmed and then takes effect at once. */
export function createPolicyWatch(prefix: string, options: PolicyWatchOptions): SharedWatch<readonly Policy[]> {
  return createConfirmedWatch(`policies ${prefix}`, (read) => options.consul.policies(prefix, read), options);
}
