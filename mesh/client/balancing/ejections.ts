import { jitter, type Log, type Random } from '#kit';

import type { DestinationPolicy, Ejection, Live } from '../../policy/call-policy.ts';
import type { Attempt } from '../attempt.ts';
import type { CallOutcome, Patience } from './call-outcome.ts';
import { ejectionCap } from './ejection-cap.ts';
import { type Cause, createEjectionLog, type EjectionLog } from './ejection-log.ts';
import type { Endpoint, TimeOut } from './endpoint.ts';
import { Judgement } from './judgement.ts';
import { probePatienceMs, probeVerdict } from './probe-verdict.ts';

/**
 * How long nobody is called when nobody may be: 500 ms, then 1 s, then 1.5 s each time. Shorter than for a single
 * instance, because there is nobody else to call: a service that is well again is called again within 2 s, for one call
 * in 1.5 s from each process as the price.
 */
const OPENING: TimeOut = { baseMs: 500, maxMs: 1_500 };

export interface EjectionsOptions {
  readonly service: string;
  readonly policy: Live<DestinationPolicy>;
  readonly random: Random;
  readonly log: Log;
  /** Told when other instances may be called than before. */
  readonly onChange: () => void;
}

/**
 * Decides who of a destination's instances is left out, and whether there is anybody left: it is open while no instance
 * that can be reached may be called. Needs no timer: what is due is done when a call asks for it.
 */
export class Ejections {
  readonly #options: EjectionsOptions;
  readonly #log: EjectionLog;
  readonly #judgement = new Judgement();
  #endpoints: readonly Endpoint[] = [];
  #anyOut = false;
  #isOpen = false;
  #openings = 0;
  /** What was settled by. */
  #settledBy: Ejection | undefined;

  constructor(options: EjectionsOptions) {
    this.#options = options;
    this.#log = createEjectionLog(options.log, options.service);
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#options.policy.current.circuit.enabled;
  }

  /** How often it has opened. */
  get openings(): number {
    return this.#openings;
  }

  get patience(): Patience {
    return { usualMs: this.#judgement.usualMs, factor: this.#limits.latencyFactor };
  }

  get #cap(): number {
    return ejectionCap(this.#endpoints.length, this.#limits);
  }

  get #limits(): Ejection {
    return this.#options.policy.current.ejection;
  }

  /**
   * Who is listed, or can be reached, has changed. Where all who could be called have left, those come back that were only
   * left out because the others did better.
   */
  update(endpoints: readonly Endpoint[], nowMs: number): void {
    this.#endpoints = endpoints;
    const outdone = this.#isOpen || this.#able().length > 0 ? [] : this.#out().filter(({ connected, isDeserted }) => connected && !isDeserted);
    if (outdone.length > 0) this.#readmit(outdone, nowMs);
    else this.#settle(nowMs);
  }

  /** An operator may have changed how many may be out. */
  followPolicy(nowMs: number): void {
    if (this.#anyOut && this.#settledBy !== this.#limits) this.#settle(nowMs);
  }

  /** An instance whose time out is over, if there is one: it is owed a call. Not a stream, and not one that has failed elsewhere, unless there is nobody else. */
  findProbe(nowMs: number, attempt: Attempt | undefined): Endpoint | undefined {
    if (!this.#anyOut || attempt?.stream || (!this.#isOpen && attempt && attempt.number > 1)) return undefined;
    return this.#endpoints.find((endpoint) => !endpoint.isIn && endpoint.connected && this.#probeInMs(endpoint, nowMs) <= 0);
  }

  /**
   * For a stream, which is no probe because it may end after hours: those come back without one, slowly, that no other call
   * has tried for as long as a probe is waited for, as where a service has nothing but streams.
   */
  readmitUntried(nowMs: number): void {
    if (!this.#anyOut) return;
    const untried = this.#out().filter((endpoint) => endpoint.connected && this.#probeInMs(endpoint, nowMs) <= -probePatienceMs(this.#isOpen));
    if (untried.length > 0) this.#readmit(untried, nowMs);
  }

  /** How long until one of them is tried again, while it is open. */
  retryInMs(nowMs: number): number {
    const reachable = this.#out().filter(({ connected }) => connected);
    return Math.ceil(Math.max(0, Math.min(OPENING.maxMs, ...reachable.map((endpoint) => this.#probeInMs(endpoint, nowMs)))));
  }

  /** A call has ended, other than a probe, and its instance has counted it. */
  called(endpoint: Endpoint, nowMs: number): void {
    if (this.#judgement.isDue(nowMs, this.#limits)) this.#judge(nowMs);
    if (endpoint.failuresInARow >= this.#limits.consecutiveFailures) this.#failsAgainAndAgain(endpoint, nowMs);
  }

  /** The probe of an instance has ended. */
  probed(endpoint: Endpoint, outcome: CallOutcome, ms: number, nowMs: number): void {
    if (endpoint.state.kind !== 'probing') return;
    const verdict = probeVerdict(outcome, ms, this.patience, this.#isOpen);
    if (verdict === 'unclear') endpoint.probeAgain(nowMs);
    else if (verdict === 'out') this.#eject([endpoint], 'failed-probe', nowMs);
    else this.#readmit([endpoint], nowMs);
  }

  #probeInMs(endpoint: Endpoint, nowMs: number): number {
    return endpoint.probeInMs(nowMs, probePatienceMs(this.#isOpen));
  }

  #out(): readonly Endpoint[] {
    return this.#endpoints.filter(({ isIn }) => !isIn);
  }

  /** Those that may be called and can be reached. */
  #able(): readonly Endpoint[] {
    return this.#endpoints.filter(({ isIn, connected }) => isIn && connected);
  }

  #mayEject(endpoint: Endpoint): boolean {
    return this.#out().length < this.#cap && this.#able().some((other) => other !== endpoint);
  }

  #judge(nowMs: number): void {
    for (const { endpoint, outlier } of this.#judgement.judge(this.#able(), this.#limits, nowMs)) {
      if (this.#mayEject(endpoint)) this.#eject([endpoint], outlier, nowMs);
    }
  }

  /**
   * It is left out, unless the others fail as well: what is broken everywhere, such as one method, singles out nobody.
   * Connections that fail count in any case. Where nobody seems to be there any more, in all that are left, they all are.
   */
  #failsAgainAndAgain(endpoint: Endpoint, nowMs: number): void {
    // Calls of an instance that is out already, or is not listed any more, end late.
    if (!endpoint.isIn || !this.#endpoints.includes(endpoint)) return;
    const { consecutiveFailures } = this.#limits;
    const able = this.#able();
    const standsOut = endpoint.silence.hasGone(consecutiveFailures) || able.some(({ failuresInARow }) => failuresInARow === 0);
    if (standsOut && this.#mayEject(endpoint)) return this.#eject([endpoint], 'failures-in-a-row', nowMs);
    const deserted = able.every((one) => one.silence.isDeserted(consecutiveFailures, nowMs));
    if (deserted && this.#options.policy.current.circuit.enabled) this.#eject(able, 'circuit-open', nowMs);
  }

  #eject(endpoints: readonly Endpoint[], cause: Cause, nowMs: number): void {
    const nobodyElse = this.#able().every((able) => endpoints.includes(able));
    const { baseMs, maxMs } = nobodyElse ? OPENING : this.#limits;
    for (const endpoint of endpoints) {
      const wasIn = endpoint.isIn;
      endpoint.eject(nowMs, { baseMs: jitter(baseMs, this.#options.random), maxMs });
      if (wasIn) this.#log.leftOut(endpoint, cause);
    }
    this.#settle(nowMs);
  }

  #readmit(endpoints: readonly Endpoint[], nowMs: number): void {
    for (const endpoint of endpoints) {
      endpoint.readmit(nowMs);
      this.#log.back(endpoint);
    }
    this.#settle(nowMs);
  }

  /** Draws the conclusions from who is in now. */
  #settle(nowMs: number): void {
    this.#settledBy = this.#limits;
    const out = this.#out();
    this.#anyOut = out.length > 0;
    const open = this.#options.policy.current.circuit.enabled && this.#able().length === 0 && out.some(({ connected }) => connected);
    if (open && !this.#isOpen) this.#opens(out, nowMs);
    if (!open && this.#isOpen) this.#log.closed();
    this.#isOpen = open;
    const tooMany = open ? 0 : out.length - this.#cap;
    if (tooMany > 0) this.#readmit(this.#soonest(out, tooMany, nowMs), nowMs);
    else this.#options.onChange();
  }

  /** Nobody is left: those that were to stay out for long are tried soon, too. */
  #opens(out: readonly Endpoint[], nowMs: number): void {
    this.#openings += 1;
    for (const endpoint of out) endpoint.probeWithin(nowMs, jitter(OPENING.baseMs, this.#options.random));
    this.#log.opened();
  }

  /** More are out than may be, since it was open or since others left: those come back whose time is over first. */
  #soonest(out: readonly Endpoint[], count: number, nowMs: number): readonly Endpoint[] {
    return out.toSorted((one, other) => this.#probeInMs(one, nowMs) - this.#probeInMs(other, nowMs)).slice(0, count);
  }
}
