/**
 * Nobody is there when calls fail at once and nothing was heard for 250 ms; or when calls expire and nothing was heard
 * while they waited, for 3 s in all. The latter is long, because one slow method looks the same while no other is called.
 */
const DESERTED_MS = { gone: 250, expired: 3_000 };

/** What speaks for nobody being there any more: calls since an instance last said anything that nobody answered. */
export class Silence {
  #gone = 0;
  #unanswered = 0;
  /** When the first of them was sent. */
  #sinceMs = 0;
  /** -Infinity: never. */
  #heardAtMs = -Infinity;

  /** It said something, be it that it fails. */
  heard(nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.forget();
  }

  /** A call failed because nobody was there. */
  gone(nowMs: number): void {
    this.#gone += 1;
    this.#unansweredSince(nowMs);
  }

  /** A call got no answer in time. */
  expired(sentAtMs: number): void {
    this.#unansweredSince(sentAtMs);
  }

  forget(): void {
    this.#gone = 0;
    this.#unanswered = 0;
  }

  /** Whether it has left a call unanswered since it last said anything. */
  get lasts(): boolean {
    return this.#unanswered > 0;
  }

  /** Whether so many calls in a row failed because nobody was there. */
  hasGone(inARow: number): boolean {
    return this.#gone >= inARow;
  }

  /** Whether so many in a row were not answered, for long enough. */
  isDeserted(inARow: number, nowMs: number): boolean {
    if (this.hasGone(inARow) && nowMs - this.#heardAtMs >= DESERTED_MS.gone) return true;
    return this.#unanswered >= inARow && nowMs - Math.max(this.#heardAtMs, this.#sinceMs) >= DESERTED_MS.expired;
  }

  #unansweredSince(ms: number): void {
    if (this.#unanswered === 0) this.#sinceMs = ms;
    this.#unanswered += 1;
  }
}
