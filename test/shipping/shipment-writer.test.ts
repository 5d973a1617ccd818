import { randomUUID } from 'node:crypto';

import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import type { Database } from '#database';
import { systemClock, systemRandom } from '#kit';

import type { Consignment, Shipment } from '../../services/shipping/domain.ts';
import { stepEvent } from '../../services/shipping/events.ts';
import type { Shipping } from '../../services/shipping/scheduling.ts';
import { createShipmentWriter } from '../../services/shipping/shipment-writer.ts';
import { openShipments, type Step } from '../../services/shipping/store.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { until } from '../database/until.ts';
import { newConsignment, type ShippingFixture, startShippingFixture } from './shipping-fixture.ts';

const FREE = { name: 'test.free', text: 'SELECT shipment_id AS id FROM shipment WHERE shipment_id = ANY ($1) ORDER BY 1 FOR UPDATE SKIP LOCKED' };
const LOCK = { name: 'test.lock', text: 'SELECT 1 FROM shipment WHERE shipment_id = $1 FOR UPDATE' };
const WAITING = { name: 'test.waiting', text: `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'` };
const NO_WAIT = { name: 'test.no_wait', text: `SET LOCAL lock_timeout = '1s'` };
const source = { clock: systemClock, random: systemRandom };
const SCHEDULED = (trackingNumber: string): Step => ({ to: 'SCHEDULED', trackingNumber });

describe('the writer of shipments', () => {
  let fixture: ShippingFixture;
  let shipping: Shipping;
  /** What was committed since the test began. */
  const commits: string[] = [];
  before(async function () {
    this.timeout(20_000);
    fixture = await startShippingFixture();
    shipping = fixture.addInstance({ hooks: { afterCommit: (name) => void commits.push(name) } });
  });
  beforeEach(() => void (commits.length = 0));
  after(() => fixture?.remove());

  const opening = (consignment = newConsignment(), shipmentId: string = randomUUID()) =>
    shipping.writer.open({ ...consignment, shipmentId, now: new Date() });

  /** One that is BOOKING. */
  async function newShipment(shipmentId?: string): Promise<Shipment> {
    return (await opening(newConsignment(), shipmentId)) ?? expect.fail('a new order has a shipment already');
  }

  const move = (shipment: Shipment, step: Step, writer = shipping.writer): Promise<Shipment | undefined> =>
    writer.move({ move: { ...step, shipmentId: shipment.shipmentId, now: new Date() }, event: stepEvent(source, shipment, step) });
  const eventsOf = async ({ orderId }: Shipment): Promise<string[]> => (await fixture.eventsOf(orderId)).map(({ type }) => type.replace(/.*\./, ''));
  const stateOf = async ({ orderId }: Shipment): Promise<string | undefined> => (await fixture.shipmentOf(orderId))?.state;

  it('opens one shipment of each order in one commit, as the first of those that come together has it', async () => {
    const [one, two] = [newConsignment(), newConsignment()];
    const other = { ...one, lines: [{ productId: 'beans', quantity: 1 }] };
    const [first, second, third] = await Promise.all([opening(one), opening(two), opening(other)]);
    expect(first).to.deep.include({ ...one, state: 'BOOKING', trackingNumber: null, refusal: null });
    expect(second).to.deep.include(two);
    expect(third).to.equal(undefined);
    expect(await fixture.shipmentOf(one.orderId)).to.deep.equal(first);
    expect(commits).to.deep.equal(['shipping.open']);
    expect(await opening(one)).to.equal(undefined);
  });

  it('moves a hundred shipments and announces each in one commit', async () => {
    const shipments = await Promise.all(Array.from({ length: 100 }, () => newShipment()));
    const stepOf = (index: number): Step => (index % 2 ? SCHEDULED(`track-${index}`) : { to: 'REFUSED', refusal: `words ${index}` });
    const moved = await Promise.all(shipments.map((shipment, index) => move(shipment, stepOf(index))));
    expect(commits).to.deep.equal(['shipping.open', 'shipping.move']);
    for (const [index, shipment] of shipments.entries()) {
      const { to: state, ...learnt } = stepOf(index);
      expect(moved[index]).to.deep.equal({ ...shipment, state, ...learnt, updateTime: moved[index]?.updateTime });
      expect(await fixture.shipmentOf(shipment.orderId)).to.deep.equal(moved[index]);
      expect(await eventsOf(shipment)).to.deep.equal(index % 2 ? ['ShipmentScheduled'] : []);
    }
  });

  it('moves one that several move together as often as they want, in the order in which they came', async () => {
    const [one, two] = [await newShipment(), await newShipment()];
    commits.length = 0;
    const moved = await Promise.all([
      move(one, SCHEDULED('first')),
      move(two, { to: 'CANCELLING' }),
      move(one, { to: 'CANCELLING' }),
      move(two, SCHEDULED('late')),
      move(one, { to: 'CANCELLED' }),
    ]);
    expect(moved.map((shipment) => shipment?.state)).to.deep.equal(['SCHEDULED', 'CANCELLING', 'CANCELLING', undefined, 'CANCELLED']);
    expect([await stateOf(one), await stateOf(two)]).to.deep.equal(['CANCELLED', 'CANCELLING']);
    expect([await eventsOf(one), await eventsOf(two)]).to.deep.equal([['ShipmentScheduled', 'ShipmentCancelled'], []]);
    expect(commits).to.deep.equal(['shipping.move']);
  });

  it('moves one that many move to the same state once, by one statement, and announces it once', async () => {
    const one = await newShipment();
    const statements: string[] = [];
    const { database } = shipping;
    const transaction: Database['transaction'] = (name, run) =>
      database.transaction(name, (tx) => run({ query: (statement, values) => (statements.push(statement.name), tx.query(statement, values)) }));
    const writer = createShipmentWriter({ ...source, tracer: trace.getTracer('test'), database: { ...database, transaction } });
    const moved = await Promise.all(Array.from({ length: 50 }, (_, index) => move(one, SCHEDULED(`track-${index}`), writer)));
    expect(moved.map((shipment) => shipment?.trackingNumber).filter((number) => number !== undefined)).to.deep.equal(['track-0']);
    expect(statements.filter((name) => name === 'shipping.move')).to.have.length(1);
    expect(await fixture.eventsOf(one.orderId)).to.have.length(1);
    expect((await fixture.shipmentOf(one.orderId))?.trackingNumber).to.equal('track-0');
  });

  it('lets one that Postgres does not take spoil no other', async () => {
    const [one, bad, two] = [await newShipment(), await newShipment(), await newShipment()];
    const moves = [move(one, SCHEDULED('one')), expectRefusal('INTERNAL', move(bad, SCHEDULED('no\0number'))), move(two, SCHEDULED('two'))];
    await Promise.all(moves);
    expect([await stateOf(one), await stateOf(two)]).to.deep.equal(['SCHEDULED', 'SCHEDULED']);
    expect([await eventsOf(one), await eventsOf(bad), await eventsOf(two)]).to.deep.equal([['ShipmentScheduled'], [], ['ShipmentScheduled']]);
    expect(await stateOf(bad)).to.equal('BOOKING');
  });

  it('takes the rows by their ids, however they came and wherever their states lead', async () => {
    const trio = randomUUID();
    const [one, two, three] = [await newShipment(`${trio}-1`), await newShipment(`${trio}-2`), await newShipment(`${trio}-3`)];
    let moves: Promise<(Shipment | undefined)[]> | undefined;
    await fixture.database.transaction('test.hold', async (tx) => {
      await tx.query(LOCK, [two.shipmentId]);
      moves = Promise.all([move(three, SCHEDULED('three')), move(two, SCHEDULED('two')), move(one, { to: 'HANDED_OVER' })]);
      await until('the group waits for the second one', async () => (await fixture.database.query(WAITING, [])).length === 1);
      const free = await fixture.database.query<{ id: string }>(FREE, [[one.shipmentId, two.shipmentId, three.shipmentId]]);
      expect(free.map(({ id }) => id)).to.deep.equal([three.shipmentId]);
    });
    expect((await moves)?.map((moved) => moved?.state)).to.deep.equal(['SCHEDULED', 'SCHEDULED', undefined]);
  });

  it('comes to orders by their ids, however they came', async () => {
    const trio = randomUUID();
    const [one, two, three] = [newConsignment({ orderId: `${trio}-1` }), newConsignment({ orderId: `${trio}-2` }), newConsignment({ orderId: `${trio}-3` })];
    const mine = (consignment: Consignment) => [{ ...consignment, shipmentId: randomUUID(), now: new Date() }];
    let opened: Promise<(Shipment | undefined)[]> | undefined;
    await fixture.database.transaction('test.hold', async (tx) => {
      await openShipments(tx, mine(two));
      opened = Promise.all([opening(three), opening(two), opening(one)]);
      await until('the group waits for the second one', async () => (await fixture.database.query(WAITING, [])).length === 1);
      await fixture.database.transaction('test.third', async (other) => {
        await other.query(NO_WAIT, []);
        expect(await openShipments(other, mine(three))).to.have.length(1);
      });
    });
    expect((await opened)?.map((shipment) => shipment?.orderId)).to.deep.equal([undefined, undefined, one.orderId]);
  });
});
