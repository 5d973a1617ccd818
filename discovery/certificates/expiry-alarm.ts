import type { Clock, Log } from '#kit';

import type { LeafCertificate } from '../certificate.ts';
import { LOOK_AGAIN_MS, warnAtMs } from './renewal.ts';

export interface ExpiryAlarmOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly onExpired: () => void;
}

/** Says of a leaf that nothing took the place of that its end is near, and that it has come. */
export interface ExpiryAlarm {
  /** A leaf is there: the one before it no longer matters. */
  set(leaf: LeafCertificate): void;
  cancel(): void;
}

export function createExpiryAlarm({ clock, log, onExpired }: ExpiryAlarmOptions): ExpiryAlarm {
  let current = new AbortController();

  async function reach(timeMs: number, { signal }: AbortController): Promise<boolean> {
    for (let restMs = timeMs - clock.now(); restMs > 0 && !signal.aborted; restMs = timeMs - clock.now()) {
      await clock.sleep(Math.min(restMs, LOOK_AGAIN_MS), signal).catch(() => undefined);
    }
    return !signal.aborted;
  }

  async function watch(leaf: LeafCertificate, mine: AbortController): Promise<void> {
    const facts = { service: leaf.service, expires: new Date(leaf.notAfterMs).toISOString() };
    if (await reach(warnAtMs(leaf), mine)) log.warn(facts, 'a certificate that should have been renewed is near its end');
    if (!(await reach(leaf.notAfterMs, mine))) return;
    log.error(facts, 'a certificate has expired before there was another; no new connection will be accepted with it');
    onExpired();
  }

  return {
    set: (leaf) => {
      current.abort();
      current = new AbortController();
      void watch(leaf, current);
    },
    cancel: () => current.abort(),
  };
}
