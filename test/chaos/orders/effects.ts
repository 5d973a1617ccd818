import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { trace } from '@opentelemetry/api';

import { migrate, openDatabase, type Statement } from '#database';
import { inboxMigrations } from '#events';
import { silentLog } from '#kit';

import { until } from '../../shop/orders.ts';
import type { Shop } from '../../shop/shop-fixture.ts';
import { type EventsOfShop, eventsOf } from './open-bus.ts';

export const EFFECTS_SCHEMA = 'effects';

/** What its processes are told. */
export interface EffectsSettings {
  /** Of the database that has the effects. */
  readonly url: string;
  readonly events: EventsOfShop;
  /** They die once they have handled so many. */
  readonly dieOnceIn: number;
  readonly withoutInbox: boolean;
}

/** Two members of a group that dies again and again, and what they have done. */
export interface Effects {
  /** Events of these orders that had their effect twice, and orders whose end had none, in words. */
  wrongFor(orderIds: readonly string[]): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const MEMBERS = 2;
const DIE_ONCE_IN = 40;
/** Kafka takes seconds to find another member for what one of them had. */
const DIE_ONCE_IN_ON_KAFKA = 120;
/** How long nothing may be done, while something is left to do. */
const STANDSTILL_MS = 50_000;

const TABLE: Statement = { name: 'effect.create', text: 'CREATE TABLE effect (event_id text NOT NULL, order_id text NOT NULL)' };
/** Placed and ended are two effects at least. */
const UNFINISHED: Statement = {
  name: 'effect.unfinished',
  text: 'SELECT id FROM unnest($1::text[]) AS asked (id) WHERE (SELECT count(DISTINCT event_id) FROM effect WHERE order_id = id) < 2',
};
const TWICE: Statement = {
  name: 'effect.twice',
  text: 'SELECT event_id AS id, count(*) AS times FROM effect WHERE order_id = ANY($1) GROUP BY event_id HAVING count(*) > 1',
};

export async function startEffects({ environment }: Shop, withoutInbox: boolean): Promise<Effects> {
  // The log has no database where Kafka has the events.
  const url = environment['DATABASE_OWNER_URL_NOTIFICATION'] ?? '';
  await migrate({ url, schema: EFFECTS_SCHEMA, components: [inboxMigrations], log: silentLog });
  const database = openDatabase({ url, schema: EFFECTS_SCHEMA, maxConnections: 1, applicationName: 'test', tracer: trace.getTracer('test'), log: silentLog });
  await database.query(TABLE, []);
  const events = eventsOf(environment);
  const settings: EffectsSettings = { url, events, dieOnceIn: events.brokers === '' ? DIE_ONCE_IN : DIE_ONCE_IN_ON_KAFKA, withoutInbox };
  const members = new Set<ChildProcess>();
  let stopped = false;

  function startMember(): void {
    const child = fork(join(import.meta.dirname, 'effects-program.ts'), { env: { ...process.env, EFFECTS: JSON.stringify(settings) } });
    members.add(child);
    child.once('exit', () => {
      members.delete(child);
      if (!stopped) startMember();
    });
  }

  for (let member = 0; member < MEMBERS; member += 1) startMember();
  return {
    async wrongFor(orderIds) {
      const unfinished = (): Promise<{ id: string }[]> => database.query(UNFINISHED, [orderIds]);
      await untilNoneLeft(async () => (await unfinished()).length);
      const twice = await database.query<{ id: string; times: bigint }>(TWICE, [orderIds]);
      return [...(await unfinished()).map(({ id }) => `an event of order ${id} had no effect`), ...twice.map(({ id, times }) => `event ${id} had its effect ${times} times`)];
    },
    async stop() {
      stopped = true;
      const left = [...members];
      for (const member of left) member.disconnect();
      await Promise.all(left.map((member) => (member.exitCode === null && member.signalCode === null ? once(member, 'exit') : undefined)));
      await database.stop();
    },
  };
}

/** Waits while fewer and fewer are left. */
async function untilNoneLeft(count: () => Promise<number>): Promise<void> {
  for (let left: number | undefined = Infinity; left !== undefined && left > 0; ) {
    const before: number = left;
    const fewer = async (): Promise<number | undefined> => {
      const now = await count();
      return now < before ? now : undefined;
    };
    left = await until('one more is done', STANDSTILL_MS, fewer).catch(() => undefined);
  }
}
