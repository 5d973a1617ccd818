import type { Intention, IntentionStore } from '#discovery';
import type { Stoppable } from '#kit';

import type { DefaultAction } from './default-action.ts';
import { createIntentions, type Intentions } from './intentions.ts';

/** What decides about the calls of one service, as it is now. */
export interface LiveIntentions extends Stoppable {
  /** Undefined until the control plane has said what there is, and what holds else. What was heard last holds while it is away. */
  readonly current: Intentions | undefined;
  /** How many intentions may decide. */
  readonly count: number;
  /** The default may have changed. */
  refresh(): void;
}

export interface LiveIntentionsOptions {
  readonly store: Pick<IntentionStore, 'watch'>;
  readonly defaultAction: Pick<DefaultAction, 'current' | 'suspect'>;
  /** `current` is another one. */
  readonly onChange: () => void;
}

export function createLiveIntentions(service: string, { store, defaultAction, onChange }: LiveIntentionsOptions): LiveIntentions {
  let listed: readonly Intention[] | undefined;
  let current: Intentions | undefined;

  function refresh(): void {
    if (!listed || !defaultAction.current) return;
    current = createIntentions(listed, defaultAction.current);
    onChange();
  }

  const watch = store.watch(service, {
    onIntentions(intentions) {
      listed = intentions;
      refresh();
    },
    onError: () => defaultAction.suspect(),
  });
  return {
    get current() {
      return current;
    },
    get count() {
      return listed?.length ?? 0;
    },
    refresh,
    stop: () => watch.stop(),
  };
}
