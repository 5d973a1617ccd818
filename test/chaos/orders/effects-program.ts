import { trace } from '@opentelemetry/api';

import { openDatabase, type Statement } from '#database';
import { createConsumer, on } from '#events';
import { silentLog, systemClock, systemRandom } from '#kit';
import { OrderCancelledSchema, OrderConfirmedSchema, OrderFailedSchema, OrderPlacedSchema } from '#proto/shop/order/v1/order_events_pb.js';

import { EFFECTS_SCHEMA, type EffectsSettings } from './effects.ts';
import { openBus } from './open-bus.ts';

/**
 * A consumer whose effect is one that counts: a row for each event, which nothing but the inbox keeps from being two. It dies
 * where that matters most, between its effect and the word to the bus, once in a while.
 */
const { url, events, dieOnceIn, withoutInbox }: EffectsSettings = JSON.parse(process.env['EFFECTS'] ?? '{}');
const tracer = trace.getTracer('test');
const ours = { clock: systemClock, random: systemRandom, log: silentLog, tracer };
const database = openDatabase({ url, schema: EFFECTS_SCHEMA, maxConnections: 4, applicationName: 'effects', tracer, log: silentLog });
const bus = await openBus(events);
const WRITE: Statement = { name: 'effect.write', text: 'INSERT INTO effect (event_id, order_id) VALUES ($1, $2)' };
const contracts = [OrderPlacedSchema, OrderConfirmedSchema, OrderFailedSchema, OrderCancelledSchema];

// Not those that come again: who died of these would come again to the same ones, for ever.
let effects = 0;
createConsumer({
  ...ours,
  group: 'effects',
  database,
  bus,
  handlers: contracts.map((contract) =>
    on(contract, async (tx, _message, { id, subject }) => {
      await tx.query(WRITE, [id, subject]);
      effects += 1;
    }),
  ),
  hooks: {
    withoutInbox,
    afterCommit() {
      if (effects >= dieOnceIn) process.kill(process.pid, 'SIGKILL');
    },
  },
}).start();

process.on('disconnect', () => process.exit(0));
