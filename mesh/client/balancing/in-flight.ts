/** Tells the turns of the event loop apart. One for all counters of a destination, as each turn costs a callback. */
export class LoopTurns {
  #number = 0;
  #ends = false;

  /** The number of this turn, for as long as somebody has asked for it. */
  get current(): number {
    if (!this.#ends) {
      this.#ends = true;
      setImmediate(() => {
        this.#number += 1;
        this.#ends = false;
      });
    }
    return this.#number;
  }
}

/**
 * Counts calls on their way. They are counted when they start, because a call that is cancelled between being sent to
 * an instance and starting is never heard of again; but all calls of one turn of the event loop are sent before the
 * first of them starts. So those count as well until the turn is over: else all calls of a burst, such as those that
 * one answer makes possible, would go to the instance that had one call less than the others.
 */
export class InFlight {
  readonly #turns: LoopTurns;
  #started = 0;
  #sent = 0;
  #sentIn = -1;

  constructor(turns: LoopTurns) {
    this.#turns = turns;
  }

  /** Calls that have started and not ended. */
  get count(): number {
    return this.#started;
  }

  /** The same, with those that were sent in this turn and have not started. */
  get load(): number {
    return this.#sentIn === this.#turns.current ? this.#started + this.#sent : this.#started;
  }

  /** A call has been given its instance. */
  sent(): void {
    const turn = this.#turns.current;
    this.#sent = this.#sentIn === turn ? this.#sent + 1 : 1;
    this.#sentIn = turn;
  }

  started(): void {
    this.#started += 1;
    if (this.#sent > 0) this.#sent -= 1;
  }

  ended(): void {
    this.#started -= 1;
  }
}
