import type { Clock, Log } from '#kit';

import type { Notices } from './notices.ts';

/** One peer's fault is told once in so long. */
const QUIET_MS = 600_000;
/** Of so many peers it is remembered that they were told of, so that so many lines are written in that time at most. */
const MAX_PEERS = 256;

/** Says of peers whose certificates are refused why. The address, which the log of a limit has too, is not enough to find what is wrong with them. */
export function createRefusedCertificates(notices: Notices, clock: Clock, log: Log): (address: string, why: string) => void {
  /** Who was told of longest ago is in front. */
  const toldMs = new Map<string, number>();

  /** A peer that comes under ever new addresses is told of no more, and counted still. */
  function hasRoom(nowMs: number): boolean {
    if (toldMs.size < MAX_PEERS) return true;
    const [oldest] = toldMs;
    if (!oldest || nowMs - oldest[1] < QUIET_MS) return false;
    return toldMs.delete(oldest[0]);
  }

  return (address, why) => {
    notices.note('bad-certificate', address);
    const nowMs = clock.now();
    const key = `${address} ${why}`;
    if (nowMs - (toldMs.get(key) ?? -Infinity) < QUIET_MS) return;
    toldMs.delete(key);
    if (!hasRoom(nowMs)) return;
    toldMs.set(key, nowMs);
    log.warn({ peer: address, why }, 'a caller was turned away for its certificate');
  };
}
