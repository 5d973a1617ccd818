import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type Context, context, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';

import { type Clock, type Log, type MeshError, type Random, refusal, repeat, type Stoppable } from '#kit';
import { createRevocationList, createTokenKeySet, createTokenVerifier, type PublishedKey, type Revocation, type RevocationList, type VerifyToken } from '#mesh';
import { ACCESS_TOKEN_AUDIENCE } from '#modules';
import { type JsonWebKey, AccountService, type Revocation as ProtoRevocation } from '#proto/shop/user/v1/account_pb.js';

import type { TokenSource } from './token-source.ts';

/** Of 1,000 each, in one round: more than are voided in 2 s, and than are kept for 6 minutes. */
const MAX_PAGES = 100;
/** How long a token waits for the first news of which ones are void: while a shop starts, the user service may be busy for seconds. */
const FIRST_ANSWER_MS = 3_000;
/** Between two questions, until there was an answer. */
const ASK_AGAIN_MS = 200;
const RETRY_AFTER_MS = 1_000;

export interface TokensOptions {
  /** A stub of this process's. Where the user service is hosted here, it answers within the process. */
  readonly accounts: TokenSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How long a token may be good after it was voided, while the user service answers. Default 2,000. */
  readonly askEveryMs?: number;
}

/** What a process knows of access tokens. */
export interface Tokens extends Stoppable {
  readonly verify: VerifyToken;
  /** Whether a token that was verified is void by now, as far as it is known. */
  readonly isRevoked: RevocationList['isRevoked'];
}

/**
 * Verifies access tokens by what the user service publishes: keys, when one is met that is not known, and which tokens are
 * void, every 2 s from the first token on. A process that sees no tokens asks nothing. While the user service is away, what
 * was heard last holds; a process that has never heard which ones are void takes none: TOKEN_KEYS_UNKNOWN.
 */
export function connectTokens({ accounts, clock, random, log, askEveryMs = 2_000 }: TokensOptions): Tokens {
  const stopping = new AbortController();
  const revocations = createRevocationList(clock);
  // Not in the call that needs a key: its caller may go away, and others wait for the same answer.
  const fetch = (): Promise<PublishedKey[]> => context.with(unrecorded(random), async () => (await accounts.getSigningKeys({})).keys.map(keyFromProto));
  const keys = createTokenKeySet({ fetch, clock, log, signal: stopping.signal });
  const known = createTokenVerifier({ keys, clock, issuer: AccountService.typeName, audience: ACCESS_TOKEN_AUDIENCE, isRevoked: revocations.isRevoked });
  const heard = Promise.withResolvers<void>();
  let hasHeard = false;
  let asking: Promise<void> | undefined;

  /** Page by page: behind the last one there is nothing new. Says whether it has got there. */
  async function ask(): Promise<boolean> {
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await accounts.listRevocations({ afterSequence: revocations.lastSequence }, { signal: stopping.signal });
      if (answer.revocations.length === 0) return true;
      revocations.add(answer.revocations.map(revocationFromProto));
    }
    return false;
  }

  async function round(): Promise<void> {
    hasHeard = (await ask()) || hasHeard;
    if (hasHeard) heard.resolve();
  }

  async function keepAsking(): Promise<void> {
    const { signal } = stopping;
    const failure = 'which access tokens are void cannot be asked for; those that are known to be stay so';
    const first = new AbortController();
    void heard.promise.then(() => first.abort());
    await repeat(round, { everyMs: ASK_AGAIN_MS, signal: AbortSignal.any([signal, first.signal]), clock, log, failure });
    await clock.sleep(askEveryMs, signal).catch(() => {});
    await repeat(round, { everyMs: askEveryMs, signal, clock, log, failure });
  }

  /** Not longer than a call can wait. */
  async function untilHeard(): Promise<void> {
    const enough = new AbortController();
    const patience = clock.sleep(FIRST_ANSWER_MS, AbortSignal.any([enough.signal, stopping.signal])).catch(() => {});
    await Promise.race([heard.promise, patience]);
    enough.abort();
  }

  return {
    async verify(token) {
      if (!asking) {
        asking = context.with(unrecorded(random), keepAsking);
        // Its key is asked for at the same time: whoever is first waits for one answer and not for two in a row.
        known(token).catch(() => undefined);
      }
      if (!hasHeard) await untilHeard();
      if (!hasHeard) throw revocationsUnknown();
      return known(token);
    },
    isRevoked: revocations.isRevoked,
    async stop() {
      stopping.abort();
      await asking;
    },
  };
}

/** It may be void: to take it would let in who was signed out. */
function revocationsUnknown(): MeshError {
  return refusal('TOKEN_KEYS_UNKNOWN', 'the access token cannot be verified now, as the user service has not said yet which ones are void; try again in a second', {
    retry: { kind: 'not-started', afterMs: RETRY_AFTER_MS },
  });
}

/** Questions of a process on its own account are nothing to look for in traces: their spans say to whom they call that they are not recorded. */
function unrecorded(random: Random): Context {
  const id = (bytes: number): string => Buffer.from(random.bytes(bytes)).toString('hex');
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: id(16), spanId: id(8), traceFlags: TraceFlags.NONE });
}

function keyFromProto({ kid, x, expireTime }: JsonWebKey): PublishedKey {
  return { keyId: kid, x, expireTimeMs: expireTime ? timestampMs(expireTime) : 0 };
}

function revocationFromProto({ sequence, userId, generation, expireTime }: ProtoRevocation): Revocation {
  return { sequence, userId, generation: Number(generation), expireTimeMs: expireTime ? timestampMs(expireTime) : 0 };
}
