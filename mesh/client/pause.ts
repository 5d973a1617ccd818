import { type Clock, refusal } from '#kit';

import { type ClientCall, onAbort } from '../call.ts';

/** Waits before another attempt. CANCELLED as soon as nobody wants the answer any more. */
export async function pause(ms: number, { method, signals }: ClientCall, clock: Clock): Promise<void> {
  const unwanted = new AbortController();
  const stopListening = onAbort(signals, () =>
    unwanted.abort(refusal('CANCELLED', `the caller went away while ${method.fullName} was to be tried again`)),
  );
  try {
    await clock.sleep(ms, unwanted.signal);
  } finally {
    stopListening();
  }
}
