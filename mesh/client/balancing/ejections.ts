import { jitter, type Log, type Random } from '#kit';

import type { DestinationPolicy, Ejection, Live } from '../../policy/call-policy.ts';
import type { Attempt } from '../attempt.ts';
import type { CallOutcome, Patience } from './call-outcome.ts';
import type { Endpoint, TimeOut } from './endpoint.ts';
import { Judgement } from './judgement.ts';
import { isSlow, type Outlier } from './outlier.ts';

/** Why an instance is left out. */
type Cause = Outlier | 'failures-in-a-row' | 'failed-probe' | 'circuit-open';

/**
 * How long nobody is called when nobody may be: 500 ms, then 1 s, then 1.5 s each time. Shorter than for a single
 * instance, because there is nobody else to call: a service that is well again is called again within 2 s, for one call
 * in 1.5 s from each process as the price.
 */
const OPENING: TimeOut = { baseMs: 500, maxMs: 1_500 };

/** A probe that is not answered within this lets another one go: sooner while nobody else may be called. */
const PROBE_PATIENCE_MS = { open: 500, closed: 5_000 };

/** The last instances are given up only when none of them has answered for so long: half of a service is better than none. */
const SILENCE_MS = 250;

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
  readonly #judgement = new Judgement();
  #endpoints: readonly Endpoint[] = [];
  #anyOut = false;
  #isOpen = false;
  #openings = 0;

  constructor(options: EjectionsOptions) {
    this.#options = options;
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

  get #limits(): Ejection {
    return this.#options.policy.current.ejection;
  }

  /** Who is listed, or can be reached, has changed. */
  update(endpoints: readonly Endpoint[], nowMs: number): void {
    this.#endpoints = endpoints;
    this.#settle(nowMs);
  }

  /** An instance whose time out is over, if there is one: it is owed a call. Not one that has failed elsewhere, unless there is nobody else. */
  findProbe(nowMs: number, attempt: Attempt | undefined): Endpoint | undefined {
    if (!this.#anyOut || (!this.#isOpen && attempt && attempt.number > 1)) return undefined;
    return this.#endpoints.find((endpoint) => !endpoint.isIn && endpoint.connected && this.#probeInMs(endpoint, nowMs) === 0);
  }

  /** How long until one of them is tried again, while it is open. */
  retryInMs(nowMs: number): number {
    const reachable = this.#out().filter(({ connected }) => connected);
    return Math.ceil(Math.min(OPENING.maxMs, ...reachable.map((endpoint) => this.#probeInMs(endpoint, nowMs))));
  }

  /** A call has ended, other than a probe, and its instance has counted it. */
  called(endpoint: Endpoint, nowMs: number): void {
    if (this.#judgement.isDue(nowMs, this.#limits)) this.#judge(nowMs);
    if (endpoint.silencesInARow >= this.#limits.consecutiveFailures) this.#failsAgainAndAgain(endpoint, nowMs);
  }

  /** The probe of an instance has ended. */
  probed(endpoint: Endpoint, outcome: CallOutcome, ms: number, nowMs: number): void {
    if (endpoint.state.kind !== 'probing') return;
    const { usualMs, factor } = this.patience;
    const slow = outcome === 'answered' && isSlow(ms, usualMs, factor);
    if (outcome === 'unclear') endpoint.probeAgain();
    else if (slow || outcome === 'failed' || outcome === 'given-up') this.#eject([endpoint], 'failed-probe', nowMs);
    else this.#readmit([endpoint], nowMs);
  }

  #probeInMs(endpoint: Endpoint, nowMs: number): number {
    return endpoint.probeInMs(nowMs, this.#isOpen ? PROBE_PATIENCE_MS.open : PROBE_PATIENCE_MS.closed);
  }

  #out(): readonly Endpoint[] {
    return this.#endpoints.filter(({ isIn }) => !isIn);
  }

  /** Those that may be called and can be reached. */
  #able(): readonly Endpoint[] {
    return this.#endpoints.filter(({ isIn, connected }) => isIn && connected);
  }

  /** How many may be out while others answer: one of 2 or 3 instances, five of 10 (50 %), none of one. */
  #maxOut(): number {
    const { length } = this.#endpoints;
    const { maxPercent } = this.#limits;
    return maxPercent > 0 ? Math.max(0, Math.min(length - 1, Math.max(1, Math.floor((length * maxPercent) / 100)))) : 0;
  }

  #mayEject(endpoint: Endpoint): boolean {
    return this.#limits.enabled && this.#out().length < this.#maxOut() && this.#able().some((other) => other !== endpoint);
  }

  #judge(nowMs: number): void {
    for (const { endpoint, outlier } of this.#judgement.judge(this.#able(), this.#limits, nowMs)) {
      if (this.#mayEject(endpoint)) this.#eject([endpoint], outlier, nowMs);
    }
  }

  /** It is left out; where all that are left do nothing but fail, they all are. */
  #failsAgainAndAgain(endpoint: Endpoint, nowMs: number): void {
    // Calls of an instance that is out already, or is not listed any more, end late.
    if (!endpoint.isIn || !this.#endpoints.includes(endpoint)) return;
    if (this.#mayEject(endpoint)) return this.#eject([endpoint], 'failures-in-a-row', nowMs);
    const able = this.#able();
    const allFail = able.every((one) => one.failuresInARow >= this.#limits.consecutiveFailures && nowMs - one.answeredAtMs >= SILENCE_MS);
    if (allFail && this.#options.policy.current.circuit.enabled) this.#eject(able, 'circuit-open', nowMs);
  }

  #eject(endpoints: readonly Endpoint[], cause: Cause, nowMs: number): void {
    const { service, random, log } = this.#options;
    const nobodyElse = this.#able().every((able) => endpoints.includes(able));
    const { baseMs, maxMs } = nobodyElse ? OPENING : this.#limits;
    for (const endpoint of endpoints) {
      const wasIn = endpoint.isIn;
      endpoint.eject(nowMs, { baseMs: jitter(baseMs, random), maxMs });
      if (wasIn) log.warn({ service, instance: endpoint.id, cause, figures: endpoint.figures }, 'an instance is left out for a while');
    }
    this.#settle(nowMs);
  }

  #readmit(endpoints: readonly Endpoint[], nowMs: number): void {
    for (const endpoint of endpoints) {
      endpoint.readmit(nowMs);
      this.#options.log.info({ service: this.#options.service, instance: endpoint.id }, 'an instance is called again');
    }
    this.#settle(nowMs);
  }

  /** Draws the conclusions from who is in now. */
  #settle(nowMs: number): void {
    const out = this.#out();
    this.#anyOut = out.length > 0;
    const open = this.#options.policy.current.circuit.enabled && this.#able().length === 0 && out.some(({ connected }) => connected);
    if (open && !this.#isOpen) this.#opens(out, nowMs);
    else if (!open && this.#isOpen) this.#closes();
    const tooMany = open ? 0 : out.length - this.#maxOut();
    if (tooMany > 0) this.#readmit(this.#soonest(out, tooMany, nowMs), nowMs);
    else this.#options.onChange();
  }

  /** Nobody is left: those that were to stay out for long are tried soon, too. */
  #opens(out: readonly Endpoint[], nowMs: number): void {
    const { service, random, log } = this.#options;
    this.#isOpen = true;
    this.#openings += 1;
    for (const endpoint of out) endpoint.probeWithin(nowMs, jitter(OPENING.baseMs, random));
    log.warn({ service }, 'no instance of a service may be called; calls fail at once until a probe is answered');
  }

  #closes(): void {
    this.#isOpen = false;
    this.#options.log.info({ service: this.#options.service }, 'a service is called again');
  }

  /** More are out than may be, since it was open or since others left: those come back whose time is over first. */
  #soonest(out: readonly Endpoint[], count: number, nowMs: number): readonly Endpoint[] {
    return out.toSorted((one, other) => this.#probeInMs(one, nowMs) - this.#probeInMs(other, nowMs)).slice(0, count);
  }
}
