import type { Random } from '#kit';

import type { Invoke, ServerCall } from '../../../../mesh/call.ts';
import type { Method } from '../../../../mesh/method.ts';
import { callOf } from './calls.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Load {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly serve: Invoke<ServerCall>;
  readonly method: Method;
  /** Calls come at random times (Poisson), whether or not earlier ones were answered. */
  readonly perSecond: number;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly timeoutMs: number;
  /** How a call gets to the service; by default at once. */
  readonly carry?: (deliver: () => void) => void;
}

/** What became of the calls of each second in which they were sent. */
export interface Outcome {
  /** Those answered in time, as a share of those sent in the seconds `from` to `until`, or of what could be answered if that is less. */
  goodput(from: number, until: number, capacityPerSecond?: number): number;
  /** The worst single second of them. */
  worst(from: number, until: number, capacityPerSecond?: number): number;
}

/** Clients that send a load once time runs. */
export function send(load: Load): Outcome {
  const { time, random, perSecond, fromMs, untilMs, carry = (deliver) => deliver() } = load;
  const sent: number[] = [];
  const answered: number[] = [];

  function callAt(sentMs: number): void {
    add(sent, sentMs);
    carry(() => receive(load, (nowMs) => nowMs <= sentMs + load.timeoutMs && add(answered, sentMs)));
  }

  function planNext(afterMs: number): void {
    const sentMs = afterMs - (Math.log(1 - random.number()) * 1_000) / perSecond;
    if (sentMs >= untilMs) return;
    time.after(sentMs - time.elapsedMs(), () => {
      callAt(sentMs);
      planNext(sentMs);
    });
  }

  const goodput = (from: number, until: number, capacityPerSecond = Infinity): number =>
    sum(answered, from, until) / Math.min(sum(sent, from, until), capacityPerSecond * (until - from));
  planNext(fromMs);
  return {
    goodput,
    worst: (from, until, capacityPerSecond) =>
      Math.min(...Array.from({ length: until - from }, (_, at) => goodput(from + at, from + at + 1, capacityPerSecond))),
  };
}

/** The server learns how much time is left only once it has the call: gRPC sends the time left, not the time of day. */
function receive({ time, serve, method, timeoutMs }: Load, answer: (nowMs: number) => void): void {
  serve(callOf(method, time.clock.now() + timeoutMs)).then(
    () => answer(time.elapsedMs()),
    () => {},
  );
}

function add(counts: number[], ms: number): void {
  const second = Math.floor(ms / 1_000);
  counts[second] = (counts[second] ?? 0) + 1;
}

function sum(counts: readonly number[], from: number, until: number): number {
  return counts.slice(from, until).reduce((total, count) => total + (count ?? 0), 0);
}
