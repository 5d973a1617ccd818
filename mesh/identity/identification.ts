import type { Clock, Stoppable } from '#kit';

import type { Invoke, ServerCall, ServerInterceptor } from '../call.ts';
import type { Method } from '../method.ts';
import { createOpenStreams } from '../open-streams.ts';
import { bearerToken } from './bearer-token.ts';
import { type IsRevoked, whyNotNow } from './token-refusal.ts';
import type { VerifyToken } from './token-verifier.ts';

/** How often the tokens of open streams are looked at again. A stream costs about 0.1 µs each time. */
const LOOK_EVERY_MS = 1_000;

export interface IdentificationOptions {
  /** One for the process: it remembers the tokens that it has seen. */
  readonly verify: VerifyToken;
  /** Whether a token that was verified has been voided since: asked once a second of every open stream that came with one. Default: none is. */
  readonly isRevoked?: IsRevoked | undefined;
  readonly clock: Clock;
}

/** Reads for which person a call is made, where it says so. */
export interface Identification extends Stoppable {
  link(method: Method): ServerInterceptor;
}

/**
 * Verifies the token that a call brings, and refuses one that is not good (ACCESS_TOKEN_REFUSED). A stream ends with the
 * same refusal within a second after its token has expired, with 30 s of skew, or is known to be void: it may last for hours,
 * and nobody stays signed in by keeping one open. Unary calls that were let in go on.
 */
export function createIdentification({ verify, isRevoked = () => false, clock }: IdentificationOptions): Identification {
  const streams = createOpenStreams();
  const stopping = new AbortController();
  let isLooking = false;

  async function lookUntilNoneIsOpen(): Promise<void> {
    isLooking = true;
    while (streams.size > 0 && !stopping.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, stopping.signal).catch(() => {});
      streams.end(({ user }) => user && whyNotNow(user, { clock, isRevoked }));
    }
    isLooking = false;
  }

  function watched(next: Invoke<ServerCall>): Invoke<ServerCall> {
    const kept = streams.keeping(next);
    return (call) => {
      const reply = kept(call);
      if (!isLooking) void lookUntilNoneIsOpen();
      return reply;
    };
  }

  return {
    link: ({ requestStreams, responseStreams }) => (next) => {
      const identified = requestStreams || responseStreams ? watched(next) : next;
      return (call) => {
        const token = bearerToken(call);
        if (token === undefined) return next(call);
        return verify(token).then((user) => {
          call.user = user;
          return identified(call);
        });
      };
    },
    async stop() {
      stopping.abort();
    },
  };
}
