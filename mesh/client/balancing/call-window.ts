/** What one instance did with its latest calls. */
export interface CallFigures {
  readonly calls: number;
  readonly failurePercent: number;
  /** Half of its answers took no longer; undefined when none was timed. */
  readonly medianMs: number | undefined;
}

/** Answers whose time is kept: enough for a middle that a few slow ones do not move. */
const TIMED_ANSWERS = 64;

/** Counts the calls of one instance from one judgement to the next. */
export class CallWindow {
  #answered = 0;
  #failed = 0;
  #timed = 0;
  /** Intervals it has been open for. */
  intervals = 0;
  readonly #latenciesMs = new Float64Array(TIMED_ANSWERS);

  get calls(): number {
    return this.#answered + this.#failed;
  }

  /** Of more than 64 times the latest are kept; undefined: of a stream, whose length is its reader's. */
  answered(ms: number | undefined): void {
    this.#answered += 1;
    if (ms === undefined) return;
    this.#latenciesMs[this.#timed % TIMED_ANSWERS] = ms;
    this.#timed += 1;
  }

  failed(): void {
    this.#failed += 1;
  }

  figures(): CallFigures {
    const latencies = this.#latenciesMs.subarray(0, Math.min(this.#timed, TIMED_ANSWERS));
    const { calls } = this;
    return { calls, failurePercent: calls === 0 ? 0 : (100 * this.#failed) / calls, medianMs: middleOf([...latencies]) };
  }

  clear(): void {
    this.#answered = 0;
    this.#failed = 0;
    this.#timed = 0;
    this.intervals = 0;
  }
}

/** The middle value; of an even number of values the lower of the two in the middle. */
export function middleOf(values: readonly number[]): number | undefined {
  return values.toSorted((one, other) => one - other)[(values.length - 1) >> 1];
}
