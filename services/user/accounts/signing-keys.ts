import type { CryptoKey } from 'jose';

import type { Database } from '#database';
import { type Clock, newId, type Random } from '#kit';
import { TOKEN_ALGORITHM } from '#mesh';

import { ACCESS_TOKEN_MS } from './domain.ts';
import { publishKey } from './signing-key-store.ts';

const MINUTE_MS = 60_000;
/** How old a key gets in use. */
const ROTATE_AFTER_MS = 24 * 60 * MINUTE_MS;
/** How long a published key may sign without being published anew; that happens when a third of it is left. */
const LEASE_MS = 15 * MINUTE_MS;
/** How long a key is published behind its last token's end: what clocks of two machines may be apart. */
const MARGIN_MS = MINUTE_MS;

/** What signs access tokens. */
export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: CryptoKey;
}

interface OwnKey extends SigningKey {
  readonly x: string;
  readonly bornMs: number;
  /** It signs nothing from here on, unless it is published anew. */
  leaseMs: number;
}

/** The key of this process. */
export interface SigningKeys {
  /** Rejects while it cannot be published, since nobody could verify what it signs. */
  current(): Promise<SigningKey>;
}

export interface SigningKeysOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Each process makes a key of its own with its first sign-in, and another one each day. The private key never leaves the
 * memory: no table, backup or neighbour has it. The public one is published before it is used, and goes by itself 21
 * minutes after its process has used it last, or died.
 */
export function createSigningKeys({ database, clock, random }: SigningKeysOptions): SigningKeys {
  let own: OwnKey | undefined;
  let preparing: Promise<OwnKey> | undefined;

  async function publish(key: OwnKey): Promise<OwnKey> {
    const now = clock.now();
    const expireTime = new Date(now + LEASE_MS + ACCESS_TOKEN_MS + MARGIN_MS);
    await publishKey(database, { keyId: key.keyId, x: key.x, expireTime }, new Date(now));
    key.leaseMs = now + LEASE_MS;
    return key;
  }

  async function prepare(): Promise<OwnKey> {
    const isFresh = own !== undefined && clock.now() - own.bornMs < ROTATE_AFTER_MS;
    own = await publish(isFresh && own ? own : await makeKey(clock, random));
    return own;
  }

  return {
    async current() {
      const now = clock.now();
      if (own && now - own.bornMs < ROTATE_AFTER_MS && own.leaseMs - now > LEASE_MS / 3) return own;
      return (preparing ??= prepare().finally(() => (preparing = undefined)));
    },
  };
}

async function makeKey(clock: Clock, random: Random): Promise<OwnKey> {
  const { exportJWK, generateKeyPair } = await import('jose');
  // Not extractable: nothing in this process can read it out.
  const { privateKey, publicKey } = await generateKeyPair(TOKEN_ALGORITHM, { crv: 'Ed25519', extractable: false });
  const { x } = await exportJWK(publicKey);
  if (x === undefined) throw new Error('an Ed25519 key has no x');
  return { keyId: newId(clock, random), privateKey, x, bornMs: clock.now(), leaseMs: 0 };
}
