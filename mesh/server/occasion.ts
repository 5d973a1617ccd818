/** Something that is waited for, and may come more than once. */
export class Occasion {
  readonly #waiting = new Set<() => void>();

  /** Resolves when it comes next; also when the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  come(): void {
    for (const tell of this.#waiting) tell();
  }
}
