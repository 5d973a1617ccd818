import type { Context } from '@opentelemetry/api';

/**
 * An OpenTelemetry context that remembers what was added to it and what came before. The API's own copies everything
 * at each step, and a call takes two steps: 0.1 µs instead of 0.6.
 */
class LinkedContext implements Context {
  readonly #before: Context | undefined;
  readonly #key: symbol | undefined;
  readonly #value: unknown;

  constructor(before?: Context, key?: symbol, value?: unknown) {
    this.#before = before;
    this.#key = key;
    this.#value = value;
  }

  getValue(key: symbol): unknown {
    return key === this.#key ? this.#value : this.#before?.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new LinkedContext(this, key, value);
  }

  deleteValue(key: symbol): Context {
    return new LinkedContext(this, key, undefined);
  }
}

/** Where calls from outside begin: nothing is known yet. */
export const NO_CONTEXT: Context = new LinkedContext();
