import type { MeshError } from '#kit';

export interface WatchListener<T> {
  onValue(value: T): void;
  onError(error: MeshError): void;
}

/** Who listens to one watch, and what they have been told. */
export interface Audience<T> {
  readonly size: number;
  /** What was heard last, also before `forgetStanding`. */
  heard(): T | undefined;
  /** Listeners that have a value are told only when it differs. */
  publish(value: T): void;
  fail(error: MeshError): void;
  /** A new run begins: what was heard stays known, and has yet to be confirmed. */
  forgetStanding(): void;
  /** The listener is told the latest soon, and never from inside this call. */
  join(listener: WatchListener<T>): Member;
  clear(): void;
}

export interface Member {
  /** False when it had left already. */
  leave(): boolean;
}

interface Subscription<T> {
  readonly listener: WatchListener<T>;
  hasValue: boolean;
}

export function createAudience<T>(equal: (one: T, other: T) => boolean): Audience<T> {
  const subscriptions = new Set<Subscription<T>>();
  let heard: { readonly value: T } | undefined;
  // What is known now: nothing yet, that the value holds, or that nobody can be asked.
  let standing: 'unknown' | 'known' | MeshError = 'unknown';

  function tell(subscription: Subscription<T>, changed: boolean): void {
    if (standing === 'unknown') return;
    if (heard && (changed || !subscription.hasValue)) {
      subscription.hasValue = true;
      subscription.listener.onValue(heard.value);
    }
    if (standing !== 'known') subscription.listener.onError(standing);
  }

  function tellAll(now: 'known' | MeshError, changed: boolean): void {
    standing = now;
    // A listener may leave, or another join, while it is told.
    for (const subscription of [...subscriptions]) tell(subscription, changed);
  }

  return {
    get size() {
      return subscriptions.size;
    },
    heard: () => heard?.value,
    publish: (value) => {
      const changed = !heard || !equal(heard.value, value);
      if (changed) heard = { value };
      tellAll('known', changed);
    },
    fail: (error) => tellAll(error, false),
    forgetStanding: () => {
      standing = 'unknown';
    },
    join: (listener) => {
      const subscription = { listener, hasValue: false };
      subscriptions.add(subscription);
      queueMicrotask(() => {
        if (subscriptions.has(subscription)) tell(subscription, false);
      });
      return { leave: () => subscriptions.delete(subscription) };
    },
    clear: () => subscriptions.clear(),
  };
}
