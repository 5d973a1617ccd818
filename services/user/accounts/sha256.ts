import { createHash, timingSafeEqual } from 'node:crypto';

/** What is kept of a secret that is random enough not to be guessed: of 80 bits or more. */
export function sha256(secret: string | Uint8Array): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Whether it is the secret of which this is the hash, in the same time for each. */
export function isHashOf(hash: Uint8Array | null, secret: string | Uint8Array): boolean {
  return hash !== null && timingSafeEqual(hash, sha256(secret));
}
