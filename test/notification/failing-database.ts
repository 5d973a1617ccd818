import type { Database } from '#database';
import { refusal } from '#kit';

/** An instance's database that is there, hangs, is away, or is that of a process that is dead. */
export interface FailingDatabase {
  readonly database: Database;
  /** Statements wait until it is back. */
  hang(): void;
  /** Statements fail as in an outage until it is back. */
  goAway(): void;
  back(): void;
  /** Nothing that this instance does is ever written again. */
  die(): void;
}

export function createFailingDatabase(real: Database): FailingDatabase {
  let gate: Promise<void> = Promise.resolve();
  let open = (): void => {};
  let failure: Error | undefined;
  return {
    database: {
      ...real,
      async query(statement, values) {
        await gate;
        if (failure) throw failure;
        return real.query(statement, values);
      },
    },
    hang() {
      ({ promise: gate, resolve: open } = Promise.withResolvers<void>());
    },
    goAway: () => void (failure = refusal('DATABASE_UNAVAILABLE', 'the database is away')),
    back() {
      failure = undefined;
      open();
    },
    die: () => void (failure = new Error('this process is dead')),
  };
}
