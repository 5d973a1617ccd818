import { setImmediate, setTimeout as delay } from 'node:timers/promises';

import type { GetUserResponse } from '#proto/shop/user/v1/user_pb.js';

import type { BenchClient } from '../peers/peer.ts';
import { checkAnswer, requestOf } from '../peers/user.ts';

/** As many calls on their way at any time: the next one goes out when one is answered. */
interface Closed {
  readonly inFlight: number;
  /** Calls after which each lane lets the event loop turn: those within a process are answered without a turn, and timers would starve. */
  readonly turnEvery?: number;
}

/**
 * So many calls a second, whatever becomes of the answers. A call counts from when it was due: one that is sent late, because
 * its process was busy with others, has waited too.
 */
interface Open {
  readonly perSecond: number;
}

/** How calls are made for a while. */
export interface Load {
  readonly pace: Closed | Open;
  /** Made first and not counted: queues and compiled code are then as they are in the middle of the work. */
  readonly warmUpMs: number;
  readonly ms: number;
  /** What a request and its answer hold beyond the user. */
  readonly paddingBytes: number;
}

/** What was measured in one slice of time. */
export interface Slice {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Every call that was made, those of the warm-up too. */
  readonly calls: number;
  /** Those of them that failed. They count for nothing else. */
  readonly failed: number;
  /** What the last of those said. */
  readonly failure?: string;
}

/** Makes a call that began, or was due, at that moment. */
type MakeCall = (began: number) => Promise<void>;

/** Makes the calls and measures them. A call that is answered wrongly fails the benchmark. */
export async function measureLoad(client: BenchClient, { pace, warmUpMs, ms, paddingBytes }: Load): Promise<Slice> {
  const request = requestOf('someone', paddingBytes);
  const took: number[] = [];
  const from = performance.now() + warmUpMs;
  let until = from + ms;
  let calls = 0;
  let failed = 0;
  let failure: string | undefined;
  const isPaced = 'perSecond' in pace;
  const call = async (began: number): Promise<void> => {
    calls += 1;
    let answer: GetUserResponse;
    try {
      answer = await client.call(request);
    } catch (thrown) {
      failed += 1;
      failure = String(thrown);
      return;
    }
    checkAnswer(request, answer);
    const now = performance.now();
    // A machine may be so busy that a short slice ends without an answer: then it lasts until there is one.
    if (now > until && took.length === 0) until = now;
    // At a pace each call that was due counts, however late its answer is; else each answer.
    const countedAt = isPaced ? began : now;
    if (countedAt >= from && countedAt <= until) took.push(now - began);
  };
  if (isPaced) await keepPace(call, pace.perSecond, () => until);
  else await keepInFlight(call, pace, () => performance.now() >= until);
  return { callsPerSecond: (took.length * 1_000) / (until - from), ...percentiles(took), calls, failed, ...(failure !== undefined && { failure }) };
}

async function keepInFlight(call: MakeCall, { inFlight, turnEvery = Infinity }: Closed, isOver: () => boolean): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let made = 1; !isOver(); made += 1) {
      await call(performance.now());
      if (made % turnEvery === 0) await setImmediate();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/**
 * Sends what is due at each tick of a timer of 1 ms: up to a millisecond of what a call takes is the timer's, with everybody.
 * All that is due before the end is sent, should its process be busy beyond that.
 */
async function keepPace(call: MakeCall, perSecond: number, until: () => number): Promise<void> {
  const began = performance.now();
  const open = new Set<Promise<void>>();
  let failed: unknown;
  let sent = 0;
  for (let now = began; now < until() && failed === undefined; ) {
    await delay(1);
    now = performance.now();
    for (const due = ((Math.min(now, until()) - began) * perSecond) / 1_000; sent < due; sent += 1) {
      const made: Promise<void> = call(began + (sent * 1_000) / perSecond)
        .catch((thrown: unknown) => void (failed ??= thrown))
        .finally(() => open.delete(made));
      open.add(made);
    }
  }
  await Promise.all(open);
  if (failed !== undefined) throw failed;
}

function percentiles(values: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
