import type { CryptoKey } from 'jose';

import type { Log } from '#kit';

import { TOKEN_ALGORITHM } from './token-verifier.ts';

/** A public key as whoever signs publishes it. */
export interface PublishedKey {
  readonly keyId: string;
  /** The 32 bytes of an Ed25519 public key, in base64url. */
  readonly x: string;
  /** Milliseconds since the epoch. No token that it signed is good after this. */
  readonly expireTimeMs: number;
}

/** One that signatures can be checked with. */
export interface ImportedKey {
  readonly key: CryptoKey;
  readonly expireTimeMs: number;
}

/** More than a shop ever has: one for each instance that signs, and those of a day. */
const MAX_KEYS = 1_000;

/** Keys that cannot be read are left out, and told of once until all can: one bad key must not take the others away. */
export function createKeyImport(log: Log): (published: readonly PublishedKey[]) => Promise<ReadonlyMap<string, ImportedKey>> {
  let isTold = false;
  return async (published) => {
    const { importJWK } = await import('jose');
    const entries = published.slice(0, MAX_KEYS).map(async ({ keyId, x, expireTimeMs }): Promise<[string, ImportedKey]> => {
      // Asymmetric keys come as CryptoKey; bytes are what symmetric ones give.
      const key = (await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, TOKEN_ALGORITHM)) as CryptoKey;
      return [keyId, { key, expireTimeMs }];
    });
    const outcomes = await Promise.allSettled(entries);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    const [first] = failed;
    if (first && !isTold) log.warn({ err: first.reason, count: failed.length }, 'some published keys of access tokens cannot be read; tokens that they signed are refused');
    isTold = failed.length > 0;
    return new Map(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])));
  };
}
