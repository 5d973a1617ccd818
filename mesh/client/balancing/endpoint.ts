import type { Instance } from '#discovery';

import type { CallOutcome } from './call-outcome.ts';
import { type CallFigures, CallWindow } from './call-window.ts';
import type { InFlight } from './in-flight.ts';
import { ShedLoad } from './shed-load.ts';
import { Silence } from './silence.ts';

export type EndpointState =
  /** Has its full share. */
  | { readonly kind: 'healthy' }
  /** New, or back: works up to its full share. */
  | { readonly kind: 'slow-start'; readonly sinceMs: number }
  /** Left out. Both numbers, so that a wall clock that is set back does not prolong it. */
  | { readonly kind: 'ejected'; readonly sinceMs: number; readonly forMs: number }
  /** A single call finds out whether it is well again: one that was sent, or has begun. */
  | { readonly kind: 'probing'; readonly sinceMs: number; readonly begun: boolean };

/** How long an instance stays out. */
export interface TimeOut {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** What an instance in slow start gets of its share at first. A tenth: it sees calls, and can do no harm. */
const FIRST_SHARE = 0.1;

/**
 * One instance of a destination, as one calling process sees it. The only place where its state changes; who may be
 * called is decided by {@link Ejections}, which sees them all.
 */
export class Endpoint {
  readonly id: string;
  instance: Instance;
  /** Whether one of its connections is up. */
  connected = false;
  readonly inFlight: InFlight;
  readonly #shed = new ShedLoad();
  /** Since it was first listed: calls that have ended, those of them that were its fault, times it was left out. */
  calls = 0;
  failures = 0;
  ejections = 0;
  /** Failures since it last answered, with calls that were given up. Turning calls away is no answer. */
  failuresInARow = 0;
  readonly silence = new Silence();
  readonly window = new CallWindow();
  /** What it did in its last full window; undefined while it has had too few calls to be judged. */
  figures: CallFigures | undefined;
  #state: EndpointState = { kind: 'healthy' };
  #newcomer: boolean;
  /** Whether it is out because nobody answered there; else because others did better. */
  #deserted = false;
  /** How often the time out has doubled. */
  #steps = 0;
  #lastOutMs = 0;
  #returnedAtMs = 0;

  /** A newcomer joins others that work already: it starts slowly, once it is connected. */
  constructor(instance: Instance, newcomer: boolean, inFlight: InFlight) {
    this.inFlight = inFlight;
    this.id = instance.id;
    this.instance = instance;
    this.#newcomer = newcomer;
  }

  get state(): EndpointState {
    return this.#state;
  }

  /** Neither ejected nor on probation. */
  get isIn(): boolean {
    return this.#state.kind === 'healthy' || this.#state.kind === 'slow-start';
  }

  /** Left out for want of an answer: it is no better where it is the only one. */
  get isDeserted(): boolean {
    return !this.isIn && this.#deserted;
  }

  /** Calls on their way, with what those weigh that it has just turned away. */
  load(nowMs: number): number {
    return this.inFlight.load + this.#shed.at(nowMs);
  }

  connect(nowMs: number): void {
    this.connected = true;
    if (this.#newcomer && this.isIn) this.#state = { kind: 'slow-start', sinceMs: nowMs };
    this.#newcomer = false;
  }

  /** Its share of the calls: its weight; in slow start a tenth of it, rising evenly (5 s: 0.1 at once, 0.5 after 2.5 s, all after 5 s). */
  share(nowMs: number, slowStartMs: number): number {
    const { weight } = this.instance;
    if (this.#state.kind !== 'slow-start') return weight;
    const sinceMs = nowMs - this.#state.sinceMs;
    // Below 0: the clock was set back, and nobody knows.
    if (sinceMs >= 0 && sinceMs < slowStartMs) return weight * Math.max(FIRST_SHARE, sinceMs / slowStartMs);
    this.#state = { kind: 'healthy' };
    return weight;
  }

  /** Counts the end of a call that was on its way for `ms`; undefined: of a stream. */
  ended(outcome: CallOutcome, ms: number | undefined, nowMs: number): void {
    this.calls += 1;
    switch (outcome.kind) {
      case 'answered':
        this.failuresInARow = 0;
        this.window.answered(ms);
        return this.silence.heard(nowMs);
      case 'shed':
        this.#shed.add(outcome.afterMs, nowMs);
        return this.silence.heard(nowMs);
      case 'broken':
        this.#failed();
        return this.silence.heard(nowMs);
      case 'gone':
        this.#failed();
        return this.silence.gone(nowMs);
      case 'expired':
        this.#failed();
        return this.silence.expired(nowMs - (ms ?? 0));
      case 'given-up':
        this.failuresInARow += 1;
    }
  }

  /**
   * Leaves it out: for `baseMs`, twice that the next time, up to `maxMs` (2, 4, 8 … 60 s). A doubling is forgotten for
   * each time that it then stayed in as long as it was last out: after 8 s out and 16 s in, the next time is 4 s. At the
   * maximum nothing doubles any more, so many short times while nobody answered do not make a long one afterwards.
   */
  eject(nowMs: number, { baseMs, maxMs }: TimeOut): void {
    if (this.isIn && this.#lastOutMs > 0) {
      const stayedIn = Math.max(0, nowMs - this.#returnedAtMs);
      this.#steps = Math.max(0, this.#steps - Math.floor(stayedIn / this.#lastOutMs));
    }
    if (this.isIn) this.ejections += 1;
    this.#lastOutMs = Math.min(maxMs, baseMs * 2 ** this.#steps);
    if (this.#lastOutMs < maxMs) this.#steps += 1;
    this.#state = { kind: 'ejected', sinceMs: nowMs, forMs: this.#lastOutMs };
    this.#deserted = this.silence.lasts;
    this.#startAnew();
  }

  /** How long until it may be tried; below 0: for how long it has been time. A probe that is on its way is waited for so long. */
  probeInMs(nowMs: number, patienceMs: number): number {
    const state = this.#state;
    if (state.kind !== 'ejected' && state.kind !== 'probing') return 0;
    // The clock was set back; or the probe was sent in an earlier turn of the event loop, and cancelled before it began.
    if (nowMs < state.sinceMs || (state.kind === 'probing' && !state.begun && this.inFlight.load === this.inFlight.count)) return 0;
    return state.sinceMs + (state.kind === 'ejected' ? state.forMs : patienceMs) - nowMs;
  }

  /** Shortens the time that it is still left out for. */
  probeWithin(nowMs: number, ms: number): void {
    if (this.#state.kind === 'ejected' && this.probeInMs(nowMs, Infinity) > ms) this.#state = { kind: 'ejected', sinceMs: nowMs, forMs: ms };
  }

  /** A call is sent to see whether it is well. */
  probe(nowMs: number): void {
    this.#state = { kind: 'probing', sinceMs: nowMs, begun: false };
  }

  /** That call is on its way. */
  probeBegun(nowMs: number): void {
    if (this.#state.kind === 'probing') this.#state = { kind: 'probing', sinceMs: nowMs, begun: true };
  }

  /** The probe said nothing: the next call is one. */
  probeAgain(nowMs: number): void {
    if (this.#state.kind === 'probing') this.#state = { kind: 'ejected', sinceMs: nowMs, forMs: 0 };
  }

  /** Lets it back in, slowly. */
  readmit(nowMs: number): void {
    this.#state = { kind: 'slow-start', sinceMs: nowMs };
    this.#returnedAtMs = nowMs;
    this.#startAnew();
  }

  /** What it did before is not held against it. */
  #startAnew(): void {
    this.failuresInARow = 0;
    this.silence.forget();
    this.window.clear();
    this.figures = undefined;
  }

  #failed(): void {
    this.failures += 1;
    this.failuresInARow += 1;
    this.window.failed();
  }
}
