import type { MeshError, Stoppable } from '#kit';

import { createAudience, type WatchListener } from './audience.ts';

/** Where a run of the watch puts what it learns. Deaf once the run is over. */
export interface WatchSink<T> {
  /** What was heard last, also in an earlier run. */
  heard(): T | undefined;
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
  /** `stop()` of the last listener ends the run. */
  subscribe(listener: WatchListener<T>): Stoppable;
  stop(): Promise<void>;
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
  const audience = createAudience(equal);
  let running: Run | undefined;

  function start(): Run {
    audience.forgetStanding();
    const controller = new AbortController();
    const { signal } = controller;
    const sink: WatchSink<T> = {
      heard: audience.heard,
      publish: (value) => signal.aborted || audience.publish(value),
      fail: (error) => signal.aborted || audience.fail(error),
    };
    return { controller, ended: run(sink, signal) };
  }

  async function end(): Promise<void> {
    const ending = running;
    running = undefined;
    ending?.controller.abort();
    await ending?.ended;
  }

  return {
    subscribe: (listener) => {
      running ??= start();
      const member = audience.join(listener);
      return {
        stop: async () => {
          if (member.leave() && audience.size === 0) await end();
        },
      };
    },
    stop: async () => {
      audience.clear();
      await end();
    },
  };
}
