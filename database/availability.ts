import type { Clock, Log, MeshError } from '#kit';

import { isUnreachable } from './database-errors.ts';

/** What the last statements said about the server: one log line when it goes, one when it is back. */
export interface Availability {
  answered(): void;
  failed(error: MeshError): void;
  /** True when the server has answered within the last `ms` and nothing has failed to reach it since. */
  answeredWithin(ms: number): boolean;
}

export function createAvailability(place: string, clock: Clock, log: Log): Availability {
  let lastAnswerAt = -Infinity;
  let lostAt: number | undefined;

  return {
    answered() {
      lastAnswerAt = clock.now();
      if (lostAt === undefined) return;
      log.info({ database: place, lostForMs: lastAnswerAt - lostAt }, 'the database answers again');
      lostAt = undefined;
    },
    failed(error) {
      if (!isUnreachable(error)) return;
      lastAnswerAt = -Infinity;
      if (lostAt !== undefined) return;
      lostAt = clock.now();
      const cause = error.cause instanceof Error ? error.cause.message : undefined;
      log.warn({ database: place, cause }, 'the database does not answer; requests that need it are refused until it does');
    },
    answeredWithin: (ms) => clock.now() - lastAnswerAt <= ms,
  };
}
