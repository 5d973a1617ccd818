/** So long a call that was turned away weighs at least, whatever the server says; and at most. */
const MIN_MS = 100;
const MAX_MS = 2_000;

/**
 * What the calls that an instance has turned away weigh in the choice, as if they were still on their way: without it
 * an overloaded instance, which refuses within a millisecond, would look like the idlest and attract ever more calls.
 * Each weighs as much as a call in flight, and fades evenly in as long as the server wants to be left alone (100 ms to
 * 2 s), counted from the last one. 50 refusals a second of 100 ms each weigh as 5 calls in flight; 100 ms after the last
 * of them nothing is left.
 */
export class ShedLoad {
  #load = 0;
  #atMs = 0;
  #fadesInMs = MIN_MS;

  add(afterMs: number, nowMs: number): void {
    this.#load = this.at(nowMs) + 1;
    this.#atMs = nowMs;
    this.#fadesInMs = Math.min(MAX_MS, Math.max(MIN_MS, afterMs));
  }

  at(nowMs: number): number {
    if (this.#load === 0) return 0;
    const sinceMs = nowMs - this.#atMs;
    // Below 0: the clock was set back.
    if (sinceMs < 0 || sinceMs >= this.#fadesInMs) return (this.#load = 0);
    return this.#load * (1 - sinceMs / this.#fadesInMs);
  }
}
