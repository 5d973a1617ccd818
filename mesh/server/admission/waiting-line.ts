import { type Clock, type MeshError, refusal } from '#kit';

import type { ServerCall } from '../../call.ts';
import type { Ending } from '../../lifetime.ts';
import type { Criticality } from '../../method.ts';
import type { Live, ServerPolicy } from '../../policy/call-policy.ts';
import { patienceMs } from './patience.ts';
import type { Place } from './places.ts';

/** Who is let in first. Who is put out for a newcomer goes the other way. */
const FIRST_TO_LAST: readonly Criticality[] = ['critical', 'default', 'sheddable'];
const LAST_TO_FIRST = FIRST_TO_LAST.toReversed();

/** Why a timer is stopped. An error made each time would cost a third of what it costs a call to have waited. */
const NOT_NEEDED = 'nobody waits for this timer';

interface Waiting {
  readonly call: ServerCall;
  readonly sinceMs: number;
  /** How long it may wait. */
  readonly patienceMs: number;
  readonly onEnd: Ending;
  readonly enter: (place: Place) => void;
  readonly refuse: (why: MeshError) => void;
}

export interface WaitingLineOptions {
  readonly policy: Live<ServerPolicy>;
  readonly clock: Clock;
  /** Counts, and makes the refusal. */
  readonly shed: (call: ServerCall) => MeshError;
}

/**
 * Where calls wait for a place: `maxQueued` of them at most, for as long as {@link patienceMs} says. The newest is let in
 * first, because under overload the oldest is the one whose caller has the least time left: first come first served
 * would answer everybody late, newest first answers as many as there are places in time. Where the line is full, the
 * oldest of those who matter least makes room for a newcomer who matters as much or more.
 */
export interface WaitingLine {
  readonly length: number;
  /** Calls whose deadline passed here, so that nothing was done for them. */
  readonly expired: number;
  /** Resolves with its place when the call is let in. Rejects when it waited too long, made room, or is not wanted any more. */
  wait(call: ServerCall): Promise<Place>;
  /** Lets in one of those that `hasRoom` admits. False when there is none. */
  letIn(hasRoom: (criticality: Criticality) => boolean, takePlace: (call: ServerCall, nowMs: number) => Place): boolean;
}

export function createWaitingLine({ policy, clock, shed }: WaitingLineOptions): WaitingLine {
  /** Oldest first. */
  const lines: Readonly<Record<Criticality, Waiting[]>> = { critical: [], default: [], sheddable: [] };
  let length = 0;
  let expired = 0;
  let standsSinceMs = 0;
  /** The first of them to have waited long enough has not before then. */
  let dueMs = Infinity;
  /** When that was looked at last. */
  let seenMs = -Infinity;
  /** Ends with the line. */
  let watching: AbortController | undefined;

  function put(waiting: Waiting): void {
    lines[waiting.call.method.criticality].push(waiting);
    length += 1;
    seenMs = waiting.sinceMs;
    const endsMs = waiting.sinceMs + waiting.patienceMs;
    if (endsMs < dueMs) {
      dueMs = endsMs;
      watching?.abort(NOT_NEEDED);
      watching = new AbortController();
      void watch(watching.signal);
    }
    // Last, for where the call is over already it leaves at once.
    waiting.call.lifetime.onEnd(waiting.onEnd);
  }

  /** The length is brought up to date first: whoever is told may come back at once. */
  function take(waiting: Waiting, act: () => void): void {
    const line = lines[waiting.call.method.criticality];
    const at = line.lastIndexOf(waiting);
    if (at < 0) return;
    line.splice(at, 1);
    length -= 1;
    waiting.call.lifetime.offEnd(waiting.onEnd);
    if (length === 0) {
      dueMs = Infinity;
      watching?.abort(NOT_NEEDED);
      watching = undefined;
    }
    act();
  }

  /** Whether a newcomer may stand in line, after somebody has made room for it if need be. */
  function makeRoom(newcomer: ServerCall): boolean {
    const { maxQueued } = policy.current.admission;
    if (length < maxQueued) return true;
    const lowest = maxQueued > 0 && LAST_TO_FIRST.find((criticality) => lines[criticality].length > 0);
    if (!lowest || FIRST_TO_LAST.indexOf(lowest) < FIRST_TO_LAST.indexOf(newcomer.method.criticality)) return false;
    const [oldest] = lines[lowest];
    if (oldest) take(oldest, () => oldest.refuse(shed(oldest.call)));
    return true;
  }

  /** Refuses who has waited too long. */
  function refuseLate(nowMs: number): void {
    const wasSetBack = nowMs < seenMs;
    seenMs = nowMs;
    if (nowMs < dueMs && !wasSetBack) return;
    dueMs = Infinity;
    for (const criticality of FIRST_TO_LAST) {
      for (const waiting of lines[criticality].slice()) {
        const leftMs = waiting.patienceMs - (nowMs - waiting.sinceMs);
        // More than all of it where the clock was set back.
        if (leftMs > 0 && leftMs <= waiting.patienceMs) dueMs = Math.min(dueMs, nowMs + leftMs);
        else take(waiting, () => waiting.refuse(shed(waiting.call)));
      }
    }
  }

  /** One timer for the line, and none while nobody waits. */
  async function watch(signal: AbortSignal): Promise<void> {
    try {
      while (length > 0) {
        await clock.sleep(Math.max(1, dueMs - clock.now()), signal);
        refuseLate(clock.now());
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }

  function dropExpired(waiting: Waiting, nowMs: number): boolean {
    if (waiting.call.deadline > nowMs) return false;
    expired += 1;
    take(waiting, () => waiting.refuse(outOfTime(waiting.call)));
    return true;
  }

  return {
    get length() {
      return length;
    },
    get expired() {
      return expired;
    },
    wait(call) {
      const sinceMs = clock.now();
      if (length === 0 || sinceMs < standsSinceMs) standsSinceMs = sinceMs;
      const found = { standsMs: sinceMs - standsSinceMs, timeLeftMs: call.deadline - sinceMs };
      if (!makeRoom(call)) return Promise.reject(shed(call));
      return new Promise((enter, refuse) => {
        const onEnd = (reason: MeshError): void => {
          if (reason.code === 'DEADLINE_EXCEEDED') expired += 1;
          take(waiting, () => refuse(reason));
        };
        const waiting: Waiting = { call, sinceMs, patienceMs: patienceMs(policy.current.admission, found), enter, refuse, onEnd };
        put(waiting);
      });
    },
    letIn(hasRoom, takePlace) {
      const now = clock.now();
      refuseLate(now);
      for (const criticality of FIRST_TO_LAST) {
        if (!hasRoom(criticality)) return false;
        for (let newest = lines[criticality].at(-1); newest; newest = lines[criticality].at(-1)) {
          if (dropExpired(newest, now)) continue;
          const entering = newest;
          take(entering, () => entering.enter(takePlace(entering.call, now)));
          return true;
        }
      }
      return false;
    },
  };
}

function outOfTime({ method }: ServerCall): MeshError {
  return refusal('DEADLINE_EXCEEDED', `${method.fullName} had no time left when its turn came; allow it more time, or try again later`);
}
