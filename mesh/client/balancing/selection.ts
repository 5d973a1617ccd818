import type { Random } from '#kit';

import type { Balancing } from '../../policy/call-policy.ts';
import type { Endpoint } from './endpoint.ts';
import { ShareTable } from './share-table.ts';

/** How often shares are read again while an instance is in slow start. */
const SLOW_START_STEP_MS = 100;

/**
 * Which of the instances that may be called gets a call.
 *
 * Own zone first: a zone that has its part of the instances takes all calls of its own callers, for the callers of
 * other zones have theirs. One that has less takes as much as its part is of that, and the rest spills over: of 3 zones
 * with 3 instances each, the own zone takes 100 %; where 2 of its 3 are left out, 1 of 7 remain, and it takes
 * 1/7 : 1/3 = 43 %. Callers are taken to be spread over the zones evenly; where they are not, what an overloaded zone
 * sheds goes to every zone when it is tried again.
 */
export class Selection {
  readonly #zone: string;
  readonly #random: Random;
  #endpoints: readonly Endpoint[] = [];
  #shareOf: (endpoint: Endpoint) => number = ({ instance }) => instance.weight;
  #near = new ShareTable([], () => 0);
  #far = this.#near;
  #nearPart = 1;
  #staleAtMs = Infinity;
  /** What the shares were made by. */
  #made: Balancing | undefined;

  constructor(zone: string, random: Random) {
    this.#zone = zone;
    this.#random = random;
  }

  /** How many may be called. */
  get size(): number {
    return this.#endpoints.length;
  }

  /** Takes who may be called from now on. */
  update(endpoints: readonly Endpoint[], balancing: Balancing, nowMs: number): void {
    const { zoneAware, slowStartMs } = balancing;
    this.#made = balancing;
    this.#endpoints = endpoints;
    const shares = new Map(endpoints.map((endpoint) => [endpoint, endpoint.share(nowMs, slowStartMs)]));
    this.#shareOf = (endpoint) => shares.get(endpoint) ?? endpoint.instance.weight;
    const isNear = ({ instance }: Endpoint): boolean => instance.zone === this.#zone;
    const near = zoneAware && this.#zone ? endpoints.filter(isNear) : [];
    this.#near = new ShareTable(near.length > 0 ? near : endpoints, this.#shareOf);
    this.#far = new ShareTable(near.length > 0 ? endpoints.filter((endpoint) => !isNear(endpoint)) : [], this.#shareOf);
    const zones = new Set(endpoints.map(({ instance }) => instance.zone)).size;
    this.#nearPart = (this.#near.total * zones) / (this.#near.total + this.#far.total);
    this.#staleAtMs = endpoints.some(({ state }) => state.kind === 'slow-start') ? nowMs + SLOW_START_STEP_MS : Infinity;
  }

  /** Whether another update may choose otherwise: by the time alone, because an operator changed something, or because there is nobody to choose. */
  isStale({ zoneAware, slowStartMs }: Balancing, nowMs: number): boolean {
    if (this.#endpoints.length === 0 || nowMs >= this.#staleAtMs) return true;
    return zoneAware !== this.#made?.zoneAware || slowStartMs !== this.#made.slowStartMs;
  }

  /** The instance for a call; undefined when there is none. Those to `avoid`, which had an earlier attempt of it, only when there is no other, in whatever zone. */
  pick(avoid: readonly string[], nowMs: number): Endpoint | undefined {
    if (avoid.length > 0) {
      const others = this.#endpoints.filter(({ id }) => !avoid.includes(id));
      return new ShareTable(others.length > 0 ? others : this.#endpoints, this.#shareOf).leastOfTwo(this.#random, nowMs);
    }
    const near = this.#far.size === 0 || this.#random.number() < this.#nearPart;
    return (near ? this.#near : this.#far).leastOfTwo(this.#random, nowMs);
  }
}
