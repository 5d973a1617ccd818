import pg from 'pg';

import { backoffMs, type Clock, type Random, type Stoppable } from '#kit';

import type { Availability } from './availability.ts';
import { databaseError } from './database-errors.ts';

/** One connection that is opened again whenever it is lost. */
export interface SteadyConnection extends Stoppable {
  /** Runs a command if the connection is open now; `onOpen` has to repeat what must hold after a reconnect. */
  send(command: string): Promise<void>;
}

export interface SteadyConnectionOptions {
  readonly config: pg.ClientConfig;
  /** Where it leads, for the words of a failure. */
  readonly place: string;
  /** The connection is open: at the first attempt, or later, when something may have been missed. */
  onOpen(send: (command: string) => Promise<void>, atFirstAttempt: boolean): Promise<void>;
  onNotification(channel: string, payload: string): void;
  readonly availability: Availability;
  readonly clock: Clock;
  readonly random: Random;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** Resolves after the first attempt, whether it led to a connection or not. */
export async function openSteadyConnection(options: SteadyConnectionOptions): Promise<SteadyConnection> {
  const stopping = new AbortController();
  const attempted = Promise.withResolvers<void>();
  let current: pg.Client | undefined;

  const loop = keepOpen(options, stopping.signal, (client) => {
    current = client;
    attempted.resolve();
  });
  await attempted.promise;
  return {
    async send(command) {
      try {
        await current?.query(command);
      } catch {
        // The connection is going, and onOpen follows.
      }
    },
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

type OnChange = (client: pg.Client | undefined) => void;

async function keepOpen(options: SteadyConnectionOptions, signal: AbortSignal, onChange: OnChange): Promise<void> {
  const { place, availability, clock, random } = options;
  let failures = 0;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      await stayOpen(options, signal, isFirst, (client) => {
        failures = 0;
        onChange(client);
      });
    } catch (thrown) {
      availability.failed(databaseError(thrown, place));
    }
    onChange(undefined);
    failures += 1;
    await clock.sleep(backoffMs(failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random), signal).catch(() => undefined);
  }
}

/** Opens the connection once and returns when it is lost or `signal` aborts; rejects when it cannot be opened. */
async function stayOpen(
  options: SteadyConnectionOptions,
  signal: AbortSignal,
  isFirst: boolean,
  onReady: OnChange,
): Promise<void> {
  const client = new pg.Client(options.config);
  const lost = new Promise<void>((resolve) => client.once('end', resolve));
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  // Without a listener a broken connection would end the process; 'end' follows.
  client.on('error', () => undefined);
  client.on('notification', ({ channel, payload }) => options.onNotification(channel, payload ?? ''));
  try {
    await Promise.race([client.connect(), stopped]);
    if (signal.aborted) return;
    await options.onOpen(async (command) => void (await client.query(command)), isFirst);
    options.availability.answered();
    onReady(client);
    await Promise.race([lost, stopped]);
  } finally {
    // Nothing is under way that a farewell would save, and a farewell can hang.
    client.connection.stream.destroy();
  }
}
