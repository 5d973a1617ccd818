import type { ClientConfig } from 'pg';

import type { Clock, Log, Random, Stoppable } from '#kit';

import type { Availability } from './availability.ts';
import { quoteChannel } from './identifiers.ts';
import { openSteadyConnection, type SteadyConnection } from './steady-connection.ts';

export interface Notifications extends Stoppable {
  /** See `Database.listen`. */
  listen(channel: string, onNotify: OnNotify): Promise<Stoppable>;
}

type OnNotify = (payload: string) => void;

export interface NotificationsOptions {
  readonly config: ClientConfig;
  /** Where it leads, for the words of a failure. */
  readonly place: string;
  readonly availability: Availability;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

/** All channels share one connection, opened with the first listener and closed by `stop()`. */
export function createNotifications(options: NotificationsOptions): Notifications {
  const { log } = options;
  const listeners = new Map<string, Set<OnNotify>>();
  let connection: Promise<SteadyConnection> | undefined;

  function notify(channel: string, payload: string): void {
    for (const onNotify of listeners.get(channel) ?? []) {
      try {
        onNotify(payload);
      } catch (err) {
        log.error({ err, channel }, 'a listener failed over a notification');
      }
    }
  }

  async function onOpen(send: (command: string) => Promise<void>, atFirstAttempt: boolean): Promise<void> {
    const channels = [...listeners.keys()];
    for (const channel of channels) await send(`LISTEN ${quoteChannel(channel)}`);
    if (atFirstAttempt) return;
    for (const channel of channels) notify(channel, '');
  }

  async function leave(channel: string, onNotify: OnNotify): Promise<void> {
    const rest = listeners.get(channel);
    if (!rest?.delete(onNotify) || rest.size > 0) return;
    listeners.delete(channel);
    await (await connection)?.send(`UNLISTEN ${quoteChannel(channel)}`);
  }

  return {
    async listen(channel, onNotify) {
      const command = `LISTEN ${quoteChannel(channel)}`;
      // A listener of its own, so that the same function may listen twice.
      const own: OnNotify = (payload) => onNotify(payload);
      listeners.set(channel, (listeners.get(channel) ?? new Set()).add(own));
      connection ??= openSteadyConnection({ ...options, onOpen, onNotification: notify });
      await (await connection).send(command);
      return { stop: () => leave(channel, own) };
    },
    async stop() {
      listeners.clear();
      await (await connection)?.stop();
    },
  };
}
