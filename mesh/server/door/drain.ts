import { type Clock, type MeshError, refusal } from '#kit';

import type { OpenCalls } from '../open-calls.ts';

/**
 * Until clients have noticed that a server has left the registry. A watch asks again at most 120 ms after its last
 * answer, and hears at once; the rest is room for a busy machine.
 */
const NOTICED_MIN_MS = 300;
/** No call for so long: nobody calls any more. */
const QUIET_MS = 150;
/** Callers that go by a fixed address never notice. They hear of it from their connection. */
const NOTICED_MAX_MS = 3_000;
const LOOK_MS = 25;

/** A first GOAWAY names no last call: one that is on the wire is still served. So long is several round trips in one region. */
const GOAWAY_MS = 20;
/** How long an ending may take to get to its caller. */
const SAY_SO_MS = 500;

/** Soon enough for a person, and another instance is there at once. */
const TRY_AGAIN_MS = 10;

/** What a drain works on. */
export interface Draining {
  readonly open: OpenCalls;
  /** Takes no new connections. */
  shut(): void;
  /** Asks all peers to make no more calls on the connections they have. Returns how many it asked. */
  announce(): number;
  /** Lets connections end with their last call; whatever call comes now was not begun. */
  goAway(): void;
  /** Resolves when all connections are gone, or the signal aborts. */
  whenGone(signal: AbortSignal): Promise<void>;
  destroy(): void;
}

/** The end of a server, in two parts: other steps of a process's way down lie between them. */
export interface Drain {
  /** Goes on serving until no call comes any more (0.3 to 3 s). Begin it when health and registry have been told. */
  untilQuiet(): Promise<void>;
  /** Closes, and lets calls in flight finish, at most `graceMs`. Resolves when no connection is left. */
  close(graceMs: number): Promise<void>;
  /** Cuts all waits short, those that come too. */
  hurry(): void;
}

/**
 * First GOAWAY to every caller. Unary calls in flight finish, from requests that are still arriving to the last byte of
 * their answers; streams are broken off at once, for they would hold up the stop as long as they may, and their readers
 * begin anew elsewhere. What is left after the grace is broken off too.
 */
export function createDrain(target: Draining, clock: Clock): Drain {
  const hurried = new AbortController();

  /** Waits for `event`, but not longer than `ms`. */
  async function within(ms: number, event: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    hurried.signal.addEventListener('abort', stop);
    if (hurried.signal.aborted) stop();
    const timeUp = clock.sleep(ms, over.signal).catch(() => {});
    await Promise.race([event(over.signal), timeUp]);
    stop();
    hurried.signal.removeEventListener('abort', stop);
  }

  const pause = (ms: number): Promise<void> => clock.sleep(ms, hurried.signal).catch(() => {});

  async function close(graceMs: number): Promise<void> {
    const { open } = target;
    target.shut();
    if (target.announce() > 0) await pause(GOAWAY_MS);
    target.goAway();
    open.endStreams(brokenOff());
    await within(graceMs, async (signal) => {
      await open.whenEmpty(signal);
      // What was handed over last is still on its way.
      await target.whenGone(signal);
    });
    open.endAll(brokenOff());
    // Also in a hurry: an answer that is not sent is a call that failed.
    await sayingSo();
    target.destroy();
  }

  async function sayingSo(): Promise<void> {
    const over = new AbortController();
    await Promise.race([target.whenGone(over.signal), clock.sleep(SAY_SO_MS, over.signal).catch(() => {})]);
    over.abort();
  }

  return {
    async untilQuiet() {
      const began = clock.now();
      let arrivals = target.open.arrivals;
      let lastCall = began;
      while (!hurried.signal.aborted) {
        await pause(LOOK_MS);
        const now = clock.now();
        if (target.open.arrivals !== arrivals) [arrivals, lastCall] = [target.open.arrivals, now];
        const quiet = now - began >= NOTICED_MIN_MS && now - lastCall >= QUIET_MS;
        if (quiet || now - began >= NOTICED_MAX_MS) return;
      }
    },
    close,
    hurry: () => hurried.abort(),
  };
}

/** The handler had begun: only a call that may be made twice is tried again. */
function brokenOff(): MeshError {
  return refusal('DRAINING', 'the service stopped before the call was through; try again', { retry: { kind: 'after', afterMs: TRY_AGAIN_MS } });
}
