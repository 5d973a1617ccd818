import { type Clock, refusal } from '#kit';
import { type Health, HealthCheckResponse_ServingStatus as ServingStatus } from '#proto/grpc/health/v1/health_pb.js';

import type { Handlers } from './handlers.ts';

/** How long an answer of the check may be reused: watchers and the agent ask often. */
const REUSE_MS = 500;
/** How long the check may take; one that hangs counts as failed. */
const CHECK_MS = 1_000;
/** How often a watched status is looked at again. */
const WATCH_MS = 1_000;

/** Health of one server (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). */
export interface ServerHealth {
  readonly handlers: Handlers<typeof Health>;
  /** From now on NOT_SERVING, whatever the check says. Watchers hear it, and their streams end: an open one would hold up the stop. */
  drain(): void;
}

/**
 * Answers for `''` (the server) and for each of `names`. `check` rejects when the service
 * cannot do its work, such as when its database is gone.
 */
export function createHealth(names: readonly string[], check: () => Promise<void>, clock: Clock): ServerHealth {
  const draining = new AbortController();
  let last: { at: number; passes: Promise<boolean> } | undefined;

  async function status(): Promise<ServingStatus> {
    if (draining.signal.aborted) return ServingStatus.NOT_SERVING;
    if (!last || clock.now() - last.at > REUSE_MS) last = { at: clock.now(), passes: passesWithin(check, CHECK_MS, clock) };
    return (await last.passes) ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  const isKnown = (service: string): boolean => service === '' || names.includes(service);

  return {
    drain: () => draining.abort(),
    handlers: {
      async check({ service }) {
        if (!isKnown(service)) throw unknownService(service, names);
        return { status: await status() };
      },
      async list() {
        const now = await status();
        return { statuses: Object.fromEntries(['', ...names].map((name) => [name, { status: now }])) };
      },
      async *watch({ service }, { signal }) {
        let told: ServingStatus | undefined;
        while (true) {
          const leaving = draining.signal.aborted;
          const now = isKnown(service) ? await status() : ServingStatus.SERVICE_UNKNOWN;
          if (now !== told) yield { status: (told = now) };
          if (leaving) return;
          await clock.sleep(WATCH_MS, AbortSignal.any([signal, draining.signal])).catch(() => signal.throwIfAborted());
        }
      },
    },
  };
}

/** Whether the check passes, and in time. One that hangs is left to itself. */
async function passesWithin(check: () => Promise<void>, ms: number, clock: Clock): Promise<boolean> {
  const over = new AbortController();
  const passes = async (): Promise<boolean> => {
    await check();
    return true;
  };
  try {
    return await Promise.race([passes(), clock.sleep(ms, over.signal).then(() => false)]);
  } catch {
    return false;
  } finally {
    over.abort();
  }
}

function unknownService(service: string, names: readonly string[]): Error {
  return refusal('UNKNOWN_SERVICE', `no service ${service} here; ask for one of: "", ${names.join(', ')}`);
}
