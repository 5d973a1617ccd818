import type { Random } from '#kit';

import type { Endpoint } from './endpoint.ts';

/** Draws instances, each as often as its share says. Made anew when shares change, so that a draw is one search. */
export class ShareTable {
  readonly #endpoints: readonly Endpoint[];
  readonly #shares: readonly number[];
  /** Sums of the shares up to each position: 1, 1 and 2 give 1, 2, 4. */
  readonly #sums: readonly number[];

  constructor(endpoints: readonly Endpoint[], shareOf: (endpoint: Endpoint) => number) {
    this.#endpoints = endpoints;
    this.#shares = endpoints.map(shareOf);
    let sum = 0;
    this.#sums = this.#shares.map((share) => (sum += share));
  }

  get size(): number {
    return this.#endpoints.length;
  }

  /** All shares together. */
  get total(): number {
    return this.#sums.at(-1) ?? 0;
  }

  /**
   * The one with fewer calls in flight for its share, of two different ones drawn by share; of equals the one drawn
   * first. So shares follow weights also where calls are few: with weights 1 and 3 and no call in flight, a quarter
   * goes to the first. Under load calls in flight follow weights: 4 of weight 2 are as many as 2 of weight 1.
   */
  leastOfTwo(random: Random, nowMs: number): Endpoint | undefined {
    const first = this.#search(random.number() * this.total);
    const one = this.#endpoints[first];
    // With none in flight no other can have fewer.
    if (!one || one.load(nowMs) === 0 || this.size === 1) return one;
    const second = this.#secondAfter(first, random);
    const other = this.#endpoints[second];
    return other && this.#load(second, nowMs) < this.#load(first, nowMs) ? other : one;
  }

  /** Draws from the shares of all the others: what lies behind the first one's is moved up by it. */
  #secondAfter(first: number, random: Random): number {
    const share = this.#shares[first] ?? 0;
    const start = (this.#sums[first] ?? 0) - share;
    const point = random.number() * (this.total - share);
    return this.#search(point < start ? point : point + share);
  }

  /** Whose share the point lies in. */
  #search(point: number): number {
    let low = 0;
    let high = this.size - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (point < (this.#sums[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #load(position: number, nowMs: number): number {
    return (this.#endpoints[position]?.load(nowMs) ?? 0) / (this.#shares[position] ?? 1);
  }
}
