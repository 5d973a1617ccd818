// A relay or a consumer in a process of its own, which kills itself at a point: `relay|consumer`, the database, the point.
import { trace } from '@opentelemetry/api';

import { createConsumer, createPostgresBus, createRelay, EVENT_LOG_SCHEMA, type EventHooks, on } from '#events';
import { silentLog, systemClock, systemRandom } from '#kit';
import { OrderFailedSchema } from '#proto/shop/order/v1/order_events_pb.js';

import { openTestDatabase } from '../database/open-test-database.ts';

const [, , role = '', url = '', point = ''] = process.argv;
const EFFECT = { name: 'test.effect', text: 'INSERT INTO effect (for_group, subject, number) VALUES ($1, $2, $3)' };

/** Dies when it comes by for the third time. */
function killer(): () => void {
  let passes = 0;
  return () => {
    passes += 1;
    if (passes === 3) process.kill(process.pid, 'SIGKILL');
  };
}

const hooks: EventHooks = { [point]: killer() };
const common = { clock: systemClock, random: systemRandom, log: silentLog };
const database = openTestDatabase({ url });
const bus = createPostgresBus({ ...common, database: openTestDatabase({ url, schema: EVENT_LOG_SCHEMA }), leaseMs: 600, pollMs: 50 });
if (role === 'relay') {
  createRelay({ ...common, database, bus, hooks, batchSize: 5, leaseMs: 300, pollMs: 50, lingerMs: 2 }).start();
} else {
  const handlers = [on(OrderFailedSchema, async (tx, { orderId, reason }) => void (await tx.query(EFFECT, ['effects', orderId, Number(reason)])))];
  createConsumer({ ...common, group: 'effects', database, bus, handlers, hooks, tracer: trace.getTracer('test') }).start();
}
