import type { Random } from '#kit';

import type { LeafCertificate } from '../certificate.ts';

type Lifetime = Pick<LeafCertificate, 'notBeforeMs' | 'notAfterMs'>;

/**
 * When to renew a leaf: somewhere from 60 to 90 % of its lifetime, so that the services that started together do not ask
 * together, and there is time to try again (72 h: after 43 to 65 h).
 */
export function renewAtMs({ notBeforeMs, notAfterMs }: Lifetime, random: Random): number {
  return notBeforeMs + (notAfterMs - notBeforeMs) * (0.6 + 0.3 * random.number());
}

/** From when on a leaf that was not renewed is worth a warning: at 95 % of its lifetime (72 h: 3.6 h before the end). */
export function warnAtMs({ notBeforeMs, notAfterMs }: Lifetime): number {
  return notBeforeMs + (notAfterMs - notBeforeMs) * 0.95;
}

/**
 * A timer runs 24.8 days at most, which the lifetime of a leaf may exceed, and stands still while the machine sleeps: to
 * wait for a time of day, look at the clock again after so long.
 */
export const LOOK_AGAIN_MS = 60_000;
