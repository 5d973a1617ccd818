import { type Context, createContextKey } from '@opentelemetry/api';

const PROGRESS = createContextKey('shopmesh call progress');

/**
 * How far a call is, over all of its attempts. An attempt that starts while another is on its way is a hedge; one that
 * starts when none is, a retry: so neither of the two mechanisms has to say what it does.
 */
export class CallProgress {
  retries = 0;
  hedges = 0;
  /** How long no attempt was on its way, between the first and the last. */
  delayMs = 0;
  #running = 0;
  #idleSinceMs: number | undefined;

  started(nowMs: number): void {
    if (this.#running > 0) {
      this.hedges += 1;
    } else if (this.#idleSinceMs !== undefined) {
      this.retries += 1;
      this.delayMs += nowMs - this.#idleSinceMs;
    }
    this.#running += 1;
  }

  ended(nowMs: number): void {
    this.#running -= 1;
    this.#idleSinceMs = nowMs;
  }
}

export function withProgress(base: Context, progress: CallProgress): Context {
  return base.setValue(PROGRESS, progress);
}

/** Of the call that an attempt belongs to. */
export function progressOf(context: Context): CallProgress | undefined {
  // Only withProgress writes under this key.
  return context.getValue(PROGRESS) as CallProgress | undefined;
}
