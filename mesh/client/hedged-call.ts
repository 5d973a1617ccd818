import { MeshError, refusal } from '#kit';

import type { ClientCall, Invoke, Reply } from '../call.ts';
import type { Headers } from '../headers.ts';
import type { LatencyPercentile } from './latency-percentile.ts';
import { firstAttempt, nextAttempt } from './next-attempt.ts';
import { pause } from './pause.ts';
import { noteBudgetSpent, noteHedge, noteRefused, noteRetry } from './resend-events.ts';
import type { HedgingOptions } from './resend-options.ts';
import { isMendable, isRefusedHere, retryPauseMs } from './retry-pause.ts';

/** An attempt on its way. */
interface Running {
  readonly attempt: ClientCall;
  readonly sentAt: number;
  readonly cancel: AbortController;
  /** What came with its answer: the caller hears of those of the attempt that decides. */
  headers?: Headers;
  trailers?: Headers;
}

/**
 * One call with up to `hedging.maxAttempts` attempts on their way at once. The first good answer is the call's, and so is
 * a failure that no other attempt would mend (NOT_FOUND); the others are cancelled. A failure that one might mend
 * ends nothing while another is on its way; when none is, `retries` decides whether a further one goes out. After a
 * failure slowness alone sends no more: the destination has enough trouble.
 */
export class HedgedCall {
  readonly #call: ClientCall;
  readonly #delayMs: number;
  readonly #send: Invoke<ClientCall>;
  readonly #latency: LatencyPercentile;
  readonly #options: HedgingOptions;
  readonly #outcome = Promise.withResolvers<Reply>();
  #running: Running[] = [];
  #latest: ClientCall;
  /** What an instance said last, or how the way to one failed. */
  #said: MeshError | undefined;
  #disarm: () => void = () => {};

  constructor(call: ClientCall, delayMs: number, send: Invoke<ClientCall>, latency: LatencyPercentile, options: HedgingOptions) {
    this.#call = call;
    this.#delayMs = delayMs;
    this.#send = send;
    this.#latency = latency;
    this.#options = options;
    this.#latest = firstAttempt(call, options.policy.current.retries.perTryTimeoutMs, options.clock);
  }

  answer(): Promise<Reply> {
    this.#launch(this.#latest);
    this.#arm();
    return this.#outcome.promise;
  }

  #launch(attempt: ClientCall): void {
    this.#latest = attempt;
    const running: Running = { attempt, sentAt: this.#options.clock.now(), cancel: new AbortController() };
    this.#running.push(running);
    this.#send(cancellable(running)).then(
      (reply) => this.#win(running, reply),
      (thrown: unknown) => this.#fail(running, MeshError.from(thrown)),
    );
  }

  #launchNext(): void {
    const { policy, clock } = this.#options;
    this.#launch(nextAttempt(this.#call, this.#latest, policy.current.retries.perTryTimeoutMs, clock));
  }

  /** Waits for the attempt that is on its way to be slow, if a further one may be sent then. */
  #arm(): void {
    if (this.#latest.attempt.number >= this.#options.policy.current.hedging.maxAttempts) return;
    this.#disarm = this.#options.schedule(this.#delayMs, () => this.#hedge());
  }

  #hedge(): void {
    // The others may have been left out since the call began.
    if (!this.#options.hasOthers() || !this.#pay()) return;
    this.#options.counts.hedges += 1;
    noteHedge(this.#call, this.#latest, this.#latest.attempt.number + 1, this.#delayMs);
    this.#launchNext();
    this.#arm();
  }

  #pay(): boolean {
    if (this.#options.budget.tryWithdraw()) return true;
    this.#options.counts.refusedByBudget += 1;
    noteBudgetSpent(this.#call);
    return false;
  }

  #win(winner: Running, reply: Reply): void {
    if (!this.#decide(winner)) return;
    if (winner.attempt.attempt.number > 1) this.#options.counts.hedgesWon += 1;
    this.#outcome.resolve(reply);
  }

  #fail(running: Running, error: MeshError): void {
    const others = this.#running.filter((other) => other !== running);
    if (others.length === this.#running.length) return;
    this.#disarm();
    this.#account(running, error);
    const { policy, clock, random } = this.#options;
    const { retries } = policy.current;
    const failed = { call: this.#call, attempt: running.attempt, error, attempts: this.#latest.attempt.number };
    if (others.length > 0 && isMendable(failed, retries)) {
      this.#running = others;
      return;
    }
    const pauseMs = others.length > 0 ? undefined : retryPauseMs(failed, retries, clock.now(), random);
    if (pauseMs !== undefined && this.#pay()) {
      this.#running = [];
      this.#retry(running, error, pauseMs);
      return;
    }
    this.#decide(running);
    this.#outcome.reject(isRefusedHere(running.attempt, error) ? (this.#said ?? error) : error);
  }

  /** What was refused here left nothing at the destination: its price comes back, and it says less than an earlier failure does. */
  #account({ attempt }: Running, error: MeshError): void {
    if (!isRefusedHere(attempt, error)) {
      this.#said = error;
      return;
    }
    const { budget } = this.#options;
    if (attempt.attempt.number === 1) return budget.revoke();
    budget.refund();
    noteRefused(this.#call, error);
  }

  #retry(failed: Running, error: MeshError, pauseMs: number): void {
    this.#options.counts.retries += 1;
    noteRetry(this.#call, failed.attempt, error, this.#latest.attempt.number + 1, pauseMs);
    pause(pauseMs, this.#call, this.#options.clock).then(() => this.#launchNext(), this.#outcome.reject);
  }

  /** Ends the call with this attempt's outcome, and cancels the others; false when it is over already. */
  #decide(deciding: Running): boolean {
    const running = this.#running;
    if (!running.includes(deciding)) return false;
    this.#running = [];
    this.#disarm();
    for (const other of running) if (other !== deciding) this.#cancel(other);
    if (deciding.headers) this.#call.onHeaders?.(deciding.headers);
    if (deciding.trailers) this.#call.onTrailers?.(deciding.trailers);
    return true;
  }

  /** The time that it took so far counts as measured: without it the percentile would sink, and ever more be sent. */
  #cancel({ sentAt, cancel }: Running): void {
    this.#latency.record(this.#options.clock.now() - sentAt);
    cancel.abort(refusal('CANCELLED', 'another attempt was answered first'));
  }
}

/** The attempt with a way to cancel it, and with its headers kept back. */
function cancellable(running: Running): ClientCall {
  const { attempt, cancel } = running;
  const signals = [...attempt.signals, cancel.signal];
  if (!attempt.onHeaders && !attempt.onTrailers) return { ...attempt, signals };
  return {
    ...attempt,
    signals,
    onHeaders: (headers) => void (running.headers = headers),
    onTrailers: (trailers) => void (running.trailers = trailers),
  };
}
