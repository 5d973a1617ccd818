import type { Intention, IntentionListener } from '#discovery';
import type { IntentionGuardOptions } from '#mesh';

/** Intentions in the benchmark's own hands. Who is not mentioned is kept out. */
export interface HeldIntentions {
  readonly store: IntentionGuardOptions['intentions'];
  /** From now on there are these; who watches is told before it returns. */
  put(intentions: readonly Intention[]): void;
}

export function holdIntentions(first: readonly Intention[]): HeldIntentions {
  const listeners = new Set<IntentionListener>();
  let held = first;
  return {
    store: {
      watch(_destination, listener) {
        listeners.add(listener);
        queueMicrotask(() => listener.onIntentions(held));
        return { stop: async () => void listeners.delete(listener) };
      },
      defaultAction: async () => 'deny',
    },
    put(intentions) {
      held = intentions;
      for (const listener of listeners) listener.onIntentions(held);
    },
  };
}
