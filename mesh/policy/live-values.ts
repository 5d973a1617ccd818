import { isDeepStrictEqual } from 'node:util';

import type { Live } from './call-policy.ts';
import { type Target, targetText } from './target.ts';

/** Values that are worked out when something has changed, not when they are read. */
export interface LiveValues<T> {
  /** The same object for the same target, always. */
  of(target: Target): Live<T>;
  /** Works every value out anew that somebody has asked for; what has not changed stays the same object. */
  refresh(): void;
}

export function createLiveValues<T>(compute: (target: Target) => T): LiveValues<T> {
  const values = new Map<string, { readonly target: Target; readonly live: { current: T } }>();
  return {
    of(target) {
      const key = targetText(target);
      const found = values.get(key);
      if (found) return found.live;
      const live = { current: compute(target) };
      values.set(key, { target, live });
      return live;
    },
    refresh() {
      for (const { target, live } of values.values()) {
        const fresh = compute(target);
        if (!isDeepStrictEqual(fresh, live.current)) live.current = fresh;
      }
    },
  };
}
