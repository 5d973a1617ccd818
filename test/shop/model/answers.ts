import { MeshError, systemClock } from '#kit';

/** What a call came to; `reason` is '' unless it was refused. */
export type Answer<T> = { readonly reason: ''; readonly value: T } | { readonly reason: string; readonly value: undefined };

/** What a client goes by that wants an answer. */
export interface Patience {
  /** Whether somebody was killed: only then may the other side be away. */
  disturbed(): boolean;
  /** Aborts when nobody wants to know any more. */
  readonly signal: AbortSignal;
}

/** A process that died is back within about two seconds, Postgres within five; each with room to spare on a busy machine. */
const WITHIN_MS = 60_000;
const PAUSE_MS = 50;

/** Calls until it is known what came of it, as a client does that got no answer. A call may always be late, since the machine may be busy. */
export async function answerTo<T>(call: () => Promise<T>, { disturbed, signal }: Patience): Promise<Answer<T>> {
  const givenUpAt = systemClock.now() + WITHIN_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      return { reason: '', value: await call() };
    } catch (thrown) {
      const error = MeshError.from(thrown);
      if (isRefusal(error)) return { reason: error.reason, value: undefined };
      const unanswered = error.code === 'DEADLINE_EXCEEDED' || (error.code === 'UNAVAILABLE' && disturbed());
      if (!unanswered || systemClock.now() > givenUpAt) throw thrown;
    }
    await systemClock.sleep(PAUSE_MS, signal);
  }
}

/** Looks until there is something to see. */
export async function eventually<T>(what: string, signal: AbortSignal, look: () => Promise<T | undefined>): Promise<T> {
  const givenUpAt = systemClock.now() + WITHIN_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (systemClock.now() > givenUpAt) throw new Error(`not within ${WITHIN_MS} ms: ${what}`);
    await systemClock.sleep(PAUSE_MS, signal);
  }
}

function isRefusal({ code }: MeshError): boolean {
  return code === 'FAILED_PRECONDITION' || code === 'ALREADY_EXISTS' || code === 'NOT_FOUND';
}
