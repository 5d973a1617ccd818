import type { Intention } from '../intention.ts';
import { type ConfirmedWatchOptions, createConfirmedWatch } from './confirmed-watch.ts';
import type { IntentionCalls } from './intention-calls.ts';
import type { SharedWatch } from './shared-watch.ts';

export interface IntentionWatchOptions extends ConfirmedWatchOptions {
  readonly consul: Pick<IntentionCalls, 'intentionsOf'>;
}

/**
 * The watch on what may decide about calls of one destination. That the last intention is gone
 * lets in, or shuts out, every caller: it is confirmed first.
 */
export function createIntentionWatch(destination: string, options: IntentionWatchOptions): SharedWatch<readonly Intention[]> {
  return createConfirmedWatch(`intentions ${destination}`, (read) => options.consul.intentionsOf(destination, read), options);
}
