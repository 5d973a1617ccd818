import type { Message } from '@bufbuild/protobuf';

import { refusal } from '#kit';

import type { ClientCall, Invoke } from '../call.ts';
import type { ResendOptions } from './resend-options.ts';

/** A stream of answers that has begun: from here on a failure is its reader's. */
export interface Begun {
  readonly first: IteratorResult<Message>;
  readonly rest: AsyncIterator<Message>;
}

/**
 * Opens a stream of answers and waits for its first message. An attempt's own timeout bounds that wait and nothing else,
 * so the server is told the call's deadline: of a stream of an hour whose attempts have 300 ms, the first message must be
 * there after 300 ms, and the rest may take its hour.
 */
export function firstMessage(next: Invoke<ClientCall>, { clock, schedule }: Pick<ResendOptions, 'clock' | 'schedule'>) {
  async function inTime(attempt: ClientCall, { method, deadline }: ClientCall): Promise<Begun> {
    const waitMs = attempt.deadline - clock.now();
    const late = new AbortController();
    const disarm = schedule(waitMs, () => late.abort());
    try {
      return await begin(next, { ...attempt, deadline, signals: [...attempt.signals, late.signal] });
    } catch (cause) {
      if (!late.signal.aborted) throw cause;
      const answeredBy = { service: method.destination, instance: attempt.attempt.instance };
      throw refusal('DEADLINE_EXCEEDED', `${method.fullName} sent nothing within ${waitMs} ms; try again, or allow an attempt more time`, { answeredBy, cause });
    } finally {
      disarm();
    }
  }
  return (attempt: ClientCall, call: ClientCall): Promise<Begun> => (attempt.deadline < call.deadline ? inTime(attempt, call) : begin(next, attempt));
}

async function begin(next: Invoke<ClientCall>, attempt: ClientCall): Promise<Begun> {
  // What a server-streaming method is answered with.
  const reply = (await next(attempt)) as AsyncIterable<Message>;
  const rest = reply[Symbol.asyncIterator]();
  return { first: await rest.next(), rest };
}
