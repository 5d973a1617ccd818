import { timingSafeEqual } from 'node:crypto';

import type { Random } from '#kit';

import { argon2id, type Argon2id } from './argon2id.ts';
import { formatHash, HASH_COST, isOutdated, parseHash } from './password-hash.ts';
import { normalizePassword } from './password-policy.ts';
import { createTurnstile } from './turnstile.ts';

const SALT_BYTES = 16;
const TAG_BYTES = 32;

/**
 * Hashes made at once, and waiting for that: 2 take 38 MiB and two of the four threads of Node's pool, so that files and
 * names are still read meanwhile. With 25 ms each, the last of 64 waits 0.8 s.
 */
const AT_ONCE = 2;
const MAX_WAITING = 64;

export type Verdict = 'right' | 'wrong' | 'right-but-outdated';

/** Passwords, made into what is kept of them. Each call makes one hash. */
export interface Passwords {
  hash(password: string, signal: AbortSignal): Promise<string>;
  /** @param stored undefined when there is no account: then a hash is made all the same, and the password is wrong */
  verify(password: string, stored: string | undefined, signal: AbortSignal): Promise<Verdict>;
}

export interface PasswordsOptions {
  readonly random: Random;
  /** Default: Node's. */
  readonly argon2id?: Argon2id;
  /** Test hook: an unknown user costs no hash. */
  readonly withoutDecoy?: boolean;
}

/** OVERLOADED while too many wait; rejects with the signal's reason when the turn does not come in time. */
export function createPasswords({ random, argon2id: hash = argon2id, withoutDecoy = false }: PasswordsOptions): Passwords {
  const turnstile = createTurnstile({ atOnce: AT_ONCE, maxWaiting: MAX_WAITING, what: 'a password to be checked' });
  /** Of no password: nobody knows one of this tag. */
  const decoy = formatHash({ cost: HASH_COST, salt: random.bytes(SALT_BYTES), tag: random.bytes(TAG_BYTES) });

  return {
    async hash(password, signal) {
      const salt = random.bytes(SALT_BYTES);
      const input = { password: normalizePassword(password), salt, cost: HASH_COST, tagBytes: TAG_BYTES };
      return formatHash({ cost: HASH_COST, salt, tag: await turnstile.run(() => hash(input), signal) });
    },

    async verify(password, stored, signal) {
      if (stored === undefined && withoutDecoy) return 'wrong';
      const known = parseHash(stored ?? decoy);
      const input = { password: normalizePassword(password), salt: known.salt, cost: known.cost, tagBytes: known.tag.length };
      const tag = await turnstile.run(() => hash(input), signal);
      if (!timingSafeEqual(tag, known.tag) || stored === undefined) return 'wrong';
      return isOutdated(known) ? 'right-but-outdated' : 'right';
    },
  };
}
