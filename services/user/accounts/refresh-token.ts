import { createHmac } from 'node:crypto';

import type { Random } from '#kit';

import { sha256 } from './sha256.ts';

/** Names the session, as long as it lives: who presents it had one of its tokens once. 128 bits. */
const SELECTOR_BYTES = 16;
/** Good once. 256 bits. */
const SECRET_BYTES = 32;
const SALT_BYTES = 32;

/** A refresh token in its parts. */
export interface RefreshToken {
  readonly selector: Uint8Array;
  readonly secret: Uint8Array;
}

export function newRefreshToken(random: Random): RefreshToken {
  return { selector: random.bytes(SELECTOR_BYTES), secret: random.bytes(SECRET_BYTES) };
}

/** 64 characters of base64url. */
export function formatRefreshToken({ selector, secret }: RefreshToken): string {
  return Buffer.concat([selector, secret]).toString('base64url');
}

/** The contract lets nothing else through than 64 characters of base64url. */
export function parseRefreshToken(text: string): RefreshToken {
  const bytes = Buffer.from(text, 'base64url');
  return { selector: bytes.subarray(0, SELECTOR_BYTES), secret: bytes.subarray(SELECTOR_BYTES) };
}

export function newRotationSalt(random: Random): Uint8Array {
  return random.bytes(SALT_BYTES);
}

/**
 * The token that follows. Its secret is made of the one before and of 256 random bits that are kept, so that the same
 * request, sent again, gets it again though it is stored nowhere; neither of the two alone gives it away.
 */
export function nextRefreshToken({ selector, secret }: RefreshToken, salt: Uint8Array): RefreshToken {
  return { selector, secret: createHmac('sha256', secret).update(salt).digest() };
}

/** What is kept of a token. */
export function hashesOf({ selector, secret }: RefreshToken): { readonly selectorHash: Buffer; readonly secretHash: Buffer } {
  return { selectorHash: sha256(selector), secretHash: sha256(secret) };
}
