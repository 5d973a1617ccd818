import type { Admission, Live, ServerPolicy } from '../../policy/call-policy.ts';
import { MethodLatency } from './method-latency.ts';
import { addCall, isEven, reach, slowdownOf, startStretch, type Stretch } from './stretch.ts';
import type { Trial } from './trial.ts';

/** A verdict needs so many calls, unless so much time has passed without them. */
const WINDOW_MS = 100;
const MAX_WINDOW_MS = 1_000;
const WINDOW_CALLS = 20;
const TRIAL_CALLS = 30;
/** All places taken and no call answered for so long: they wait for something that does not come, and others need places. */
const STUCK_MS = 500;

/** Calls may take twice as long as usual: the half that waits keeps the half that works busy. The limit grows towards that. */
const AIM = 2;
/** From here on something is wrong, and a trial finds out what. */
const SLOW = 3;
/** Where half as many calls at once take less than this share of the time, they had queued for each other. Between 0.5 (all of it a queue) and 1 (none of it). */
const QUEUE_RATIO = 0.75;

const MAX_GROWTH = 1.5;
/** A limit that is far from being used comes down to the initial one: from 128 to 64 in 14 windows, 1.4 s. */
const DECAY = 0.95;

/** While the limit is reached all the time the usual latency cannot be seen, and is looked for so often; sooner where it never was seen. */
const LOOK_EVERY_MS = 10_000;
const FIRST_LOOK_MS = 1_000;
/** Between trials; after one that showed nothing, longer, for it costs places. */
const PAUSE_MS = 1_000;
const LONG_PAUSE_MS = 5_000;

/**
 * How many calls a service may work on at once, found by trying.
 *
 * Calls may be slow for two reasons that look the same from here: they queue for each other (for workers, connections,
 * CPU), or what they wait for is slow by itself. Only the first is helped by fewer calls. So when the limit is reached and
 * calls take more than three times as long as usual, the limit is halved for a moment. Where they then take about half
 * as long, nothing was lost: the half is kept, and halved again. Where they take as long as before, waiting is what they do:
 * the limit comes back, and what they take now is what they usually take.
 *
 * Ten workers of 10 ms, limit 64, twice the load: calls take 64 ms. Trials: 32 (32 ms), 16 (16 ms), 8 (10 ms),
 * which is the least. Then it grows by up to a half each 100 ms until calls take twice that, at about 22 (23 ms).
 * Calls that wait 200 ms for another service instead of 10, 500 a second, limit 64: trial at 32 (still 200 ms), back to 64,
 * then 96, 144: room for all 100 of them, about a second after.
 * 50 calls a second that wait for somebody who answers nobody, until their deadlines of 5 s: the limit is full and nothing ends,
 * so it grows by a half each 500 ms, to 324: room for all 250 of them, and for the other calls of the service.
 *
 * Sources: Little's law; the gradient of Envoy's adaptive concurrency filter and of Netflix's concurrency-limits, which take
 * every slowness for a queue until it has lasted; ProbeRTT of BBR (draft-ietf-ccwg-bbr), the model of the trial.
 */
export class ConcurrencyLimit {
  readonly #policy: Live<ServerPolicy>;
  readonly #methods: MethodLatency[] = [];
  #limit: number;
  #current: number;
  #window: Stretch;
  #trial: Trial | undefined;
  #mayTryMs = -Infinity;
  /** Since when the limit has been reached all the time without a trial. */
  #pressedSinceMs: number | undefined;
  /** Whether the usual latencies were seen without a queue. */
  #known = false;

  constructor(policy: Live<ServerPolicy>, nowMs: number) {
    this.#policy = policy;
    this.#limit = policy.current.admission.initialLimit;
    this.#current = this.#limit;
    this.#window = startStretch(nowMs);
  }

  /** How many calls may be worked on now. */
  get current(): number {
    return this.#current;
  }

  /** Where the latency of one more method is kept. */
  addMethod(): MethodLatency {
    const latency = new MethodLatency();
    this.#methods.push(latency);
    return latency;
  }

  /** Somebody found no place. */
  reached(nowMs: number, inFlight: number): void {
    reach(this.#window, nowMs);
    this.tick(nowMs, inFlight);
  }

  /** A call was answered, or cut off because its time ran out (`expired`). `inFlight`: without it. */
  answered(latency: MethodLatency, startedMs: number, expired: boolean, nowMs: number, inFlight: number): void {
    const trial = this.#trial;
    if (!trial || (trial.kind === 'measuring' && startedMs >= trial.sinceMs)) {
      // What was cut off would have taken longer, so that calls with little time do not look fast.
      const tookMs = Math.max(0, nowMs - startedMs) * (expired ? AIM : 1);
      addCall(this.#window, { tookMs, usualMs: latency.usualMs ?? tookMs, expired }, nowMs, inFlight);
      latency.add(tookMs);
    }
    this.tick(nowMs, inFlight);
  }

  /** Looks at the time; also where a call failed otherwise, which says nothing of how long calls take. */
  tick(nowMs: number, inFlight: number): void {
    const trial = this.#trial;
    // The clock was set back.
    if (nowMs < this.#window.fromMs) this.#end(this.#limit, nowMs, 0);
    else if (!trial) this.#endWindow(nowMs, inFlight);
    else if (trial.kind === 'settling') this.#settle(trial, nowMs, inFlight);
    else this.#judge(trial, nowMs);
  }

  #endWindow(nowMs: number, inFlight: number): void {
    const window = this.#window;
    const lastedMs = nowMs - window.fromMs;
    const isStuck = window.reached && nowMs - window.quietSinceMs >= STUCK_MS;
    if (!isStuck && (lastedMs < WINDOW_MS || (window.calls < WINDOW_CALLS && lastedMs < MAX_WINDOW_MS))) return;
    this.#window = startStretch(nowMs);
    if (isStuck) this.#set(this.#limit * MAX_GROWTH);
    else if (!window.reached) this.#rest(window);
    else if (window.calls > 0) this.#press(window, nowMs, inFlight);
  }

  /** Nobody waited. */
  #rest({ calls, peak }: Stretch): void {
    this.#pressedSinceMs = undefined;
    if (calls >= WINDOW_CALLS) this.#known = true;
    for (const latency of this.#methods) latency.learn(true);
    const { initialLimit } = this.#admission;
    const isFar = this.#limit > initialLimit && peak < this.#limit / 2;
    this.#set(isFar ? Math.max(initialLimit, this.#limit * DECAY) : this.#limit);
  }

  /** Somebody waited: more places where calls are about as fast as usual, a trial where they are not or nobody knows. */
  #press(window: Stretch, nowMs: number, inFlight: number): void {
    this.#pressedSinceMs ??= window.fromMs;
    const slowdown = slowdownOf(window);
    for (const latency of this.#methods) latency.learn(false);
    const pressedMs = nowMs - this.#pressedSinceMs;
    const isLookDue = pressedMs >= (this.#known ? LOOK_EVERY_MS : FIRST_LOOK_MS);
    if (nowMs >= this.#mayTryMs && (slowdown > SLOW || isLookDue) && (isEven(window, nowMs, inFlight) || pressedMs >= MAX_WINDOW_MS)) {
      this.#try({ slowdown, descends: slowdown > SLOW || !this.#known, from: this.#limit }, window, nowMs);
    } else if (slowdown < AIM) {
      this.#set(this.#limit * Math.min(MAX_GROWTH, AIM / slowdown));
    }
  }

  #try(trial: Pick<Trial, 'slowdown' | 'descends' | 'from'>, { calls, fromMs }: Stretch, nowMs: number): void {
    const half = Math.max(1, Math.floor(this.#limit / 2));
    const halvesInMs = (half * (nowMs - fromMs)) / calls;
    const settleMs = Math.min(MAX_WINDOW_MS, Math.max(WINDOW_MS, 2 * halvesInMs));
    this.#trial = { ...trial, kind: 'settling', sinceMs: nowMs, settleMs };
    this.#current = half;
  }

  #settle(trial: Trial, nowMs: number, inFlight: number): void {
    if (inFlight <= this.#current) {
      this.#trial = { ...trial, kind: 'measuring', sinceMs: nowMs };
      this.#window = startStretch(nowMs);
      for (const latency of this.#methods) latency.forget();
    } else if (nowMs - trial.sinceMs > trial.settleMs) {
      // A queue would have been shorter by now: they wait for something else.
      this.#end(this.#limit * MAX_GROWTH, nowMs, LONG_PAUSE_MS);
    }
  }

  #judge(trial: Trial, nowMs: number): void {
    const window = this.#window;
    if (window.calls < TRIAL_CALLS && nowMs - trial.sinceMs < MAX_WINDOW_MS) return;
    if (!window.reached) return this.#end(this.#limit, nowMs, 0);
    if (window.expired * 2 >= window.calls) return this.#end(this.#limit * MAX_GROWTH, nowMs, LONG_PAUSE_MS);
    const remaining = slowdownOf(window);
    const queued = remaining < QUEUE_RATIO * trial.slowdown;
    for (const latency of this.#methods) latency.accept(queued);
    if (!queued || !trial.descends) {
      this.#known = true;
      // Slow with so few at once: what looked like a queue was calls that had only begun to be slow.
      return this.#end(remaining > SLOW ? trial.from : this.#limit, nowMs, PAUSE_MS);
    }
    this.#limit /= 2;
    if (this.#limit <= this.#admission.minLimit) return this.#end(this.#limit, nowMs, LONG_PAUSE_MS);
    this.#try({ ...trial, slowdown: remaining }, window, nowMs);
  }

  #end(limit: number, nowMs: number, pauseMs: number): void {
    this.#trial = undefined;
    this.#mayTryMs = nowMs + pauseMs;
    this.#pressedSinceMs = nowMs;
    this.#window = startStretch(nowMs);
    this.#set(limit);
  }

  #set(limit: number): void {
    const { minLimit, maxLimit } = this.#admission;
    this.#limit = Math.min(maxLimit, Math.max(minLimit, limit));
    this.#current = Math.floor(this.#limit);
  }

  get #admission(): Admission {
    return this.#policy.current.admission;
  }
}
