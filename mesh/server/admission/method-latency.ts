/** Samples that make a first baseline, and samples that move it. Fewer would follow chance, in methods that take now 1 ms and now 500. */
const FIRST_SAMPLES = 10;
const SAMPLES = 50;

/** How much of the way to a new mean the baseline goes: to a lower one quickly, for nothing makes calls faster than they are; to a higher one slowly. */
const DOWN = 0.25;
const UP = 0.05;

/**
 * How long the calls of one method take when the server has room: the baseline that tells slow from slow by nature.
 * Each method has its own, so that GetOrder (1 ms) beside PlaceOrder (500 ms) is slow at 10 ms and PlaceOrder is not.
 */
export class MethodLatency {
  #usualMs: number | undefined;
  #sumMs = 0;
  #count = 0;

  /** Undefined until a first few calls have ended. */
  get usualMs(): number | undefined {
    return this.#usualMs;
  }

  add(tookMs: number): void {
    this.#sumMs += tookMs;
    this.#count += 1;
  }

  /** Takes in what was added, once it is enough. `mayRise`: the server had room, so that slower calls are no sign of a queue. */
  learn(mayRise: boolean): void {
    if (this.#count < (this.#usualMs === undefined ? FIRST_SAMPLES : SAMPLES)) return;
    const meanMs = this.#sumMs / this.#count;
    const usualMs = this.#usualMs ?? meanMs;
    if (meanMs < usualMs) this.#usualMs = usualMs + DOWN * (meanMs - usualMs);
    else this.#usualMs = mayRise ? usualMs + UP * (meanMs - usualMs) : usualMs;
    this.forget();
  }

  /** Makes what was added the baseline, where it is enough to be one; `onlyDown` leaves a lower baseline as it is. */
  accept(onlyDown: boolean): void {
    if (this.#count >= FIRST_SAMPLES) {
      const meanMs = this.#sumMs / this.#count;
      this.#usualMs = onlyDown ? Math.min(this.#usualMs ?? meanMs, meanMs) : meanMs;
    }
    this.forget();
  }

  /** Drops what was added and not yet taken in. */
  forget(): void {
    this.#sumMs = 0;
    this.#count = 0;
  }
}
