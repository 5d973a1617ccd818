import type { MeshError, Stoppable } from '#kit';

export interface WatchListener<T> {
  onValue(value: T): void;
  onError(error: MeshError): void;
}

/** Where a run of the watch puts what it learns. Deaf once the run is over. */
export interface WatchSink<T> {
  /** What was heard last, also in an earlier run. */
  heard(): T | undefined;
  /** Listeners that have a value are told only when it differs. */
  publish(value: T): void;
  fail(error: MeshError): void;
}

export interface SharedWatchOptions<T> {
  /** Watches until the signal aborts; must not publish before it has waited for something. */
  run(sink: WatchSink<T>, signal: AbortSignal): Promise<void>;
  equal(one: T, other: T): boolean;
}

/** One watch for any number of listeners: it runs while there is one. */
export interface SharedWatch<T> {
  /** The listener is told the latest soon, and never from inside this call. `stop()` of the last listener ends the run. */
  subscribe(listener: WatchListener<T>): Stoppable;
  stop(): Promise<void>;
}

interface Subscription<T> {
  readonly listener: WatchListener<T>;
  hasValue: boolean;
}

interface Run {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

/**
 * The last value outlives the run: when a channel wakes up after idling while the
 * server is gone, the listener gets what was heard last instead of nothing.
 */
export function createSharedWatch<T>({ run, equal }: SharedWatchOptions<T>): SharedWatch<T> {
  const subscriptions = new Set<Subscription<T>>();
  let running: Run | undefined;
  let heard: { readonly value: T } | undefined;
  // What this run knows: nothing yet, that the value holds, or that it cannot ask.
  let standing: 'unknown' | 'known' | MeshError = 'unknown';

  function tell(subscription: Subscription<T>, changed: boolean): void {
    if (standing === 'unknown') return;
    if (heard && (changed || !subscription.hasValue)) {
      subscription.hasValue = true;
      subscription.listener.onValue(heard.value);
    }
    if (standing !== 'known') subscription.listener.onError(standing);
  }

  function sinkOf(signal: AbortSignal): WatchSink<T> {
    return {
      heard: () => heard?.value,
      publish: (value) => {
        if (signal.aborted) return;
        const changed = !heard || !equal(heard.value, value);
        if (changed) heard = { value };
        standing = 'known';
        for (const subscription of [...subscriptions]) tell(subscription, changed);
      },
      fail: (error) => {
        if (signal.aborted) return;
        standing = error;
        for (const subscription of [...subscriptions]) tell(subscription, false);
      },
    };
  }

  function start(): Run {
    standing = 'unknown';
    const controller = new AbortController();
    return { controller, ended: run(sinkOf(controller.signal), controller.signal) };
  }

  async function end(): Promise<void> {
    const ending = running;
    running = undefined;
    ending?.controller.abort();
    await ending?.ended;
  }

  return {
    subscribe: (listener) => {
      const subscription = { listener, hasValue: false };
      subscriptions.add(subscription);
      running ??= start();
      queueMicrotask(() => {
        if (subscriptions.has(subscription)) tell(subscription, false);
      });
      return {
        stop: async () => {
          if (subscriptions.delete(subscription) && subscriptions.size === 0) await end();
        },
      };
    },
    stop: async () => {
      subscriptions.clear();
      await end();
    },
  };
}
