import { type Clock, refusal } from '#kit';
import { type Health, HealthCheckResponse_ServingStatus as ServingStatus } from '#proto/grpc/health/v1/health_pb.js';

import type { Handlers } from './handlers.ts';

/** How long an answer of the check may be reused: watchers and the agent ask often. */
const REUSE_MS = 500;
/** How often a watched status is looked at again. */
const WATCH_MS = 1_000;

/** Health of one server (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). */
export interface ServerHealth {
  readonly handlers: Handlers<typeof Health>;
  /** From now on NOT_SERVING, whatever the check says. */
  drain(): void;
}

/**
 * Answers for `''` (the server) and for each of `names`. `check` rejects when the service
 * cannot do its work, such as when its database is gone.
 */
export function createHealth(names: readonly string[], check: () => Promise<void>, clock: Clock): ServerHealth {
  let draining = false;
  let last: { at: number; status: Promise<ServingStatus> } | undefined;

  function status(): Promise<ServingStatus> {
    if (draining) return Promise.resolve(ServingStatus.NOT_SERVING);
    if (!last || clock.now() - last.at > REUSE_MS) {
      last = { at: clock.now(), status: check().then(() => ServingStatus.SERVING, () => ServingStatus.NOT_SERVING) };
    }
    return last.status;
  }

  const isKnown = (service: string): boolean => service === '' || names.includes(service);

  return {
    drain: () => {
      draining = true;
    },
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
        while (!signal.aborted) {
          const now = isKnown(service) ? await status() : ServingStatus.SERVICE_UNKNOWN;
          if (now !== told) yield { status: (told = now) };
          await clock.sleep(WATCH_MS, signal);
        }
      },
    },
  };
}

function unknownService(service: string, names: readonly string[]): Error {
  return refusal('UNKNOWN_SERVICE', `no service ${service} here; ask for one of: "", ${names.join(', ')}`);
}
