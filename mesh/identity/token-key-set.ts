import type { CryptoKey } from 'jose';

import { type Clock, type Log, type MeshError, refusal } from '#kit';

import { createKeyImport, type ImportedKey, type PublishedKey } from './import-keys.ts';
import type { TokenKeys } from './token-verifier.ts';

export interface TokenKeySetOptions {
  /** Asks whoever signs for all keys that count. */
  readonly fetch: () => Promise<readonly PublishedKey[]>;
  readonly clock: Clock;
  readonly log: Log;
  /** After this, known keys are asked for again, behind the back of whoever needs one: a key that was taken back is gone then. Default 60,000. */
  readonly maxAgeMs?: number;
  /** Tokens that name unknown keys, as forged ones do, have them asked for this often at most; whoever comes within the pause waits for its end. Default 1,000. */
  readonly pauseMs?: number;
  /** Aborts when nobody needs keys any more: whoever waits is refused. */
  readonly signal?: AbortSignal;
}

/** Tokens that wait for their keys at once; each costs what an open call costs. */
const MAX_WAITING = 1_000;

/**
 * The public keys of access tokens, as they were published last. A key that is not known yet is asked for before anybody says
 * that there is none: by a question that began after its token came, since an answer before it may be older than the key.
 * While nobody answers, the known ones go on until they expire, and of others nobody can say anything: TOKEN_KEYS_UNKNOWN.
 */
export function createTokenKeySet({ fetch, clock, log, maxAgeMs = 60_000, pauseMs = 1_000, signal }: TokenKeySetOptions): TokenKeys {
  const importKeys = createKeyImport(log);
  let known: ReadonlyMap<string, ImportedKey> = new Map();
  let askedAtMs = Number.NEGATIVE_INFINITY;
  /** The question that is under way. */
  let asking: Promise<void> | undefined;
  /** The one after it, which has not begun. */
  let next: Promise<void> | undefined;
  let waiting = 0;
  let isFailing = false;

  async function ask(): Promise<void> {
    try {
      known = await importKeys(await fetch());
      isFailing = false;
    } catch (err) {
      // Once: an outage has many questions.
      if (!isFailing) log.warn({ err }, 'the keys of access tokens cannot be asked for; the known ones go on until they expire');
      isFailing = true;
    }
  }

  /** One question at a time; never rejects. */
  function begin(): Promise<void> {
    askedAtMs = clock.now();
    return (asking = ask().finally(() => (asking = undefined)));
  }

  /** How long no question may begin yet. A clock that was set back must not stop it. */
  function restMs(afterMs: number): number {
    const sinceMs = clock.now() - askedAtMs;
    return sinceMs >= 0 && sinceMs < afterMs ? afterMs - sinceMs : 0;
  }

  async function beginNext(): Promise<void> {
    try {
      await asking;
      if (restMs(pauseMs) > 0) await clock.sleep(restMs(pauseMs), signal);
    } finally {
      next = undefined;
    }
    await begin();
  }

  const living = (keyId: string): CryptoKey | undefined => {
    const found = known.get(keyId);
    return found && found.expireTimeMs > clock.now() ? found.key : undefined;
  };

  async function askedFor(keyId: string): Promise<CryptoKey | undefined> {
    // Mostly it is what somebody else asks for already.
    if (asking) await asking;
    const found = living(keyId);
    if (found) return found;
    if (isFailing && restMs(pauseMs) > 0) throw keysUnknown(pauseMs);
    await (next ??= beginNext());
    const key = living(keyId);
    if (!key && isFailing) throw keysUnknown(pauseMs);
    return key;
  }

  return {
    async find(keyId) {
      const key = living(keyId);
      if (key) {
        // Nobody who has a key waits for it.
        if (!asking && !next && restMs(maxAgeMs) === 0) void begin();
        return key;
      }
      if (waiting >= MAX_WAITING || signal?.aborted) throw keysUnknown(pauseMs);
      waiting += 1;
      try {
        return await askedFor(keyId);
      } catch (thrown) {
        throw signal?.aborted ? keysUnknown(pauseMs) : thrown;
      } finally {
        waiting -= 1;
      }
    },
  };
}

/** It may be a good one: whoever brings it must not be told to sign in again. */
function keysUnknown(afterMs: number): MeshError {
  return refusal('TOKEN_KEYS_UNKNOWN', 'the access token cannot be verified now, as its key is not known here and cannot be asked for; try again in a second', {
    retry: { kind: 'not-started', afterMs },
  });
}
