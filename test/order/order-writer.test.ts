import { randomUUID } from 'node:crypto';

import { context, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { createIdempotencyStore } from '#database';
import { MeshError, refusal, silentLog, systemClock, systemRandom } from '#kit';
import type { ResourceClaim } from '#mesh';
import { createSagaRunner, type SagaRunner } from '#saga';
import { currentTraceparent } from '#tracing';

import { orderEvent } from '../../services/order/events.ts';
import { createOrderWriter, type OrderEntry, type Placed } from '../../services/order/order-writer.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { until } from '../database/until.ts';
import { createTelemetry, useTracePropagation } from '../mesh/support/telemetry.ts';
import { recording } from '../saga/saga-bench.ts';
import { orderOf, type OrdersFixture, startOrders } from './order-fixture.ts';

const given = { clock: systemClock, random: systemRandom, log: silentLog, tracer: trace.getTracer('test') };
const { definition } = recording({ confirm: {} });

interface Change {
  readonly hash?: number;
  readonly leftMs?: number;
  readonly total?: bigint;
}

describe('orders that are placed at the same moment', () => {
  useTracePropagation();
  let orders: OrdersFixture;
  let sagas: SagaRunner;
  let write: (entry: OrderEntry) => Promise<Placed>;
  let commits: string[] = [];

  before(async function () {
    this.timeout(20_000);
    orders = await startOrders({ afterCommit: (name) => void commits.push(name) });
    sagas = createSagaRunner([definition], { ...given, database: orders.database });
    write = createOrderWriter({ ...given, sagas, database: orders.database });
  });
  beforeEach(() => {
    commits = [];
  });
  after(async () => {
    await sagas?.stop();
    await orders?.stop();
  });

  /** An order with a key; two of one hash are the same request. */
  function entry(key: string, { hash = 1, leftMs = 10_000, total = 1_000n }: Change = {}): OrderEntry {
    const orderId = randomUUID();
    const order = { ...orderOf(orderId), total: { minor: total, currency: 'EUR' } };
    const claim: ResourceClaim = {
      store: createIdempotencyStore(orders.database),
      request: { method: 'PlaceOrder', caller: '', key, requestHash: new Uint8Array([hash]) },
      resourceId: orderId,
      leftMs: () => leftMs,
      resourceOf({ sameRequest, resourceId }) {
        if (!sameRequest) throw refusal('IDEMPOTENCY_KEY_REUSED', 'choose another key');
        return resourceId;
      },
    };
    return { order, claim, event: orderEvent(given, 'placed', order), saga: sagas.prepare(definition, { sagaId: orderId, subject: orderId, state: {} }) };
  }

  /** How many rows an order has: of its own, of its changes, its saga and its events. */
  async function rowsOf(orderId: string): Promise<unknown> {
    const [row] = await orders.run(
      `SELECT (SELECT count(*)::int FROM orders WHERE order_id = $1) AS orders, (SELECT count(*)::int FROM order_change WHERE order_id = $1) AS changes,
         (SELECT count(*)::int FROM saga WHERE subject = $1) AS sagas, (SELECT count(*)::int FROM outbox WHERE key = $1) AS events`,
      orderId,
    );
    return row;
  }
  const WHOLE = { orders: 1, changes: 1, sagas: 1, events: 1 };
  const NOTHING = { orders: 0, changes: 0, sagas: 0, events: 0 };
  const lockWaits = async (): Promise<number> =>
    (await orders.run(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)).length;

  /** Runs `meanwhile` while another process is about to place an order with this key, and returns that one's id. */
  async function whilePlacedElsewhere(key: string, meanwhile: () => Promise<unknown>): Promise<string> {
    const { order, claim } = entry(key);
    await orders.database.transaction('test.elsewhere', async (tx) => {
      await claim.store.claimResources(tx, [claim], 1_000);
      await meanwhile();
    });
    return order.orderId;
  }

  it('share a commit, and each has its order, its first change, its saga and its event', async () => {
    const entries = Array.from({ length: 20 }, () => entry(randomUUID()));
    const placed = await Promise.all(entries.map(write));
    expect(commits.filter((name) => name === 'order.place')).to.have.length(1);
    expect(placed.map(({ orderId }) => orderId)).to.deep.equal(entries.map(({ order }) => order.orderId));
    for (const { orderId, saga } of placed) expect([await rowsOf(orderId), await saga?.run()]).to.deep.equal([WHOLE, { kind: 'completed' }]);
  });

  it('keep their own traces: saga and event belong to the call that placed them', async () => {
    const tracer = createTelemetry().tracer('order');
    const calls = Array.from({ length: 3 }, () => trace.setSpan(context.active(), tracer.startSpan('PlaceOrder')));
    const placed = await Promise.all(calls.map((call) => context.with(call, () => write(entry(randomUUID())))));
    for (const [index, { orderId }] of placed.entries()) {
      const traces = await orders.run('SELECT outbox.trace_parent AS event, saga.trace_parent AS saga FROM saga JOIN outbox ON key = subject WHERE subject = $1', orderId);
      const own = context.with(calls[index] ?? context.active(), currentTraceparent);
      expect(traces).to.deep.equal([{ event: own, saga: own }]);
    }
  });

  it('are one order when they are the same request, with one saga to run', async () => {
    const key = randomUUID();
    const placed = await Promise.all([entry(key), entry(randomUUID()), entry(key), entry(key)].map(write));
    const [first, other, ...again] = placed;
    expect(new Set([first, ...again].map((one) => one?.orderId)).size).to.equal(1);
    expect(placed.map(({ saga }) => saga !== undefined)).to.deep.equal([true, true, false, false]);
    for (const one of [first, other]) expect(await rowsOf(one?.orderId ?? '')).to.deep.equal(WHOLE);
  });

  it('are refused one by one: another request under a key that was used spoils none of the others', async () => {
    const key = randomUUID();
    const entries = [entry(key), entry(key, { hash: 2 }), entry(randomUUID())];
    const results = await Promise.allSettled(entries.map(write));
    expect(results.map((one) => one.status === 'fulfilled' || MeshError.from(one.reason).reason)).to.deep.equal([true, 'IDEMPOTENCY_KEY_REUSED', true]);
    expect(commits, 'all in one go').to.deep.equal(['order.place']);
    expect(await Promise.all(entries.map(({ order }) => rowsOf(order.orderId)))).to.deep.equal([WHOLE, NOTHING, WHOLE]);
  });

  it('spoil no other where one cannot be written, whose key is free again', async () => {
    const key = randomUUID();
    const [good, bad] = [entry(randomUUID()), entry(key, { total: -1n })];
    const results = await Promise.allSettled([write(good), write(bad)]);
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected']);
    expect([await rowsOf(good.order.orderId), await rowsOf(bad.order.orderId)]).to.deep.equal([WHOLE, NOTHING]);
    const next = entry(key);
    expect((await write(next)).orderId).to.equal(next.order.orderId);
  });

  it('wait for a key that another process is about to claim apart from the others, which wait for nobody', async () => {
    const key = randomUUID();
    let waiting: Promise<Placed[]> | undefined;
    const elsewhere = await whilePlacedElsewhere(key, async () => {
      waiting = Promise.all([write(entry(key)), write(entry(key))]);
      expect((await write(entry(randomUUID()))).saga).not.to.equal(undefined);
      await until('two wait', async () => (await lockWaits()) === 2);
      for (let later = 0; later < 5; later += 1) expect((await write(entry(randomUUID()))).saga).not.to.equal(undefined);
    });
    expect(await waiting).to.deep.equal([{ orderId: elsewhere, saga: undefined }, { orderId: elsewhere, saga: undefined }]);
  });

  it('wait for it no longer than until their own deadline', async () => {
    const key = randomUUID();
    await whilePlacedElsewhere(key, async () => {
      const [late, good] = await Promise.allSettled([write(entry(key, { leftMs: 120 })), write(entry(randomUUID()))]);
      expect(late.status === 'rejected' && MeshError.from(late.reason).reason).to.equal('DEADLINE_EXCEEDED');
      expect(good.status).to.equal('fulfilled');
    });
  });

  it('are one order for each key also when two instances get the same ones at once, each in an order of its own', async () => {
    const database = openTestDatabase({ url: orders.url });
    const elsewhere = createOrderWriter({ ...given, sagas, database });
    try {
      for (let round = 0; round < 10; round += 1) {
        const keys = Array.from({ length: 12 }, () => randomUUID());
        const [here, there] = await Promise.all([
          Promise.all(keys.map((key) => write(entry(key)))),
          Promise.all(keys.toReversed().map((key) => elsewhere(entry(key)))).then((placed) => placed.toReversed()),
        ]);
        expect(here.map(({ orderId }) => orderId)).to.deep.equal(there.map(({ orderId }) => orderId));
        expect(here.map(({ saga }, index) => (saga !== undefined) !== (there[index]?.saga !== undefined))).not.to.include(false);
      }
    } finally {
      await database.stop();
    }
  });
});
