import type { Intention, IntentionAction, IntentionListener } from '#discovery';
import { refusal } from '#kit';
import type { IntentionGuardOptions } from '#mesh';

/** A keeper of intentions that says what a test makes it say. */
export interface Keeper {
  readonly store: IntentionGuardOptions['intentions'];
  /** From now on there are these; who watches is told. */
  put(...intentions: readonly Intention[]): void;
  /** It answers nothing any more, or does again. */
  setAway(away: boolean): void;
  /** What it says of the default; undefined: nothing. */
  setDefault(action: IntentionAction | undefined): void;
  /** How often it was asked for the default. */
  readonly defaultReads: number;
  /** Watches that were not stopped. */
  readonly watches: number;
}

/** With `known`, `put` has been called for the watches that begin. */
export function createKeeper(known?: readonly Intention[]): Keeper {
  const listeners = new Set<IntentionListener>();
  let listed = known;
  let action: IntentionAction | undefined = 'allow';
  let isAway = false;
  let defaultReads = 0;
  const away = () => refusal('CONTROL_PLANE_UNAVAILABLE', 'it is away');

  return {
    store: {
      watch(_destination, listener) {
        listeners.add(listener);
        queueMicrotask(() => {
          if (listed && listeners.has(listener)) listener.onIntentions(listed);
        });
        return { stop: async () => void listeners.delete(listener) };
      },
      async defaultAction() {
        defaultReads += 1;
        if (isAway) throw away();
        return action;
      },
    },
    put(...intentions) {
      listed = intentions;
      for (const listener of listeners) listener.onIntentions(intentions);
    },
    setAway(now) {
      isAway = now;
      if (now) for (const listener of listeners) listener.onError(away());
    },
    setDefault: (said) => void (action = said),
    get defaultReads() {
      return defaultReads;
    },
    get watches() {
      return listeners.size;
    },
  };
}
