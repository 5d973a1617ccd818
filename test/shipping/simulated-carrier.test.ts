import { randomUUID } from 'node:crypto';

import { trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { type Database, migrate } from '#database';
import { silentLog, systemClock, systemRandom } from '#kit';

import type { BookingOutcome, Carrier } from '../../services/shipping/carrier.ts';
import { createSimulatedCarrier, readCarrierBook, simulatedCarrierMigrations } from '../../services/shipping/simulated-carrier/index.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { newConsignment, patience } from './shipping-fixture.ts';

describe('the simulated carrier', () => {
  let place: TestDatabase;
  let database: Database;
  before(async function () {
    this.timeout(20_000);
    place = await createTestDatabase();
    await migrate({ url: place.url, schema: 'carrier', components: [simulatedCarrierMigrations], log: silentLog });
    database = openTestDatabase({ url: place.url, schema: 'carrier', maxConnections: 10 });
  });
  after(async () => {
    await database?.stop();
    await place?.drop();
  });

  /** Each is as new as after a restart: whatever it knows stands in its book. */
  const newCarrier = (): Carrier =>
    createSimulatedCarrier({ database, clock: systemClock, random: systemRandom, tracer: trace.getTracer('test') });

  function bookingTo(postalCode: string) {
    const { address, ...consignment } = newConsignment();
    return { bookingKey: randomUUID(), ...consignment, address: { ...address, postalCode } };
  }

  type Booking = ReturnType<typeof bookingTo>;
  const book = (booking: Booking, signal = patience()): Promise<BookingOutcome> => newCarrier().book(booking, signal);
  const cancel = ({ bookingKey }: Booking): Promise<void> => newCarrier().cancel(bookingKey, patience());
  const entriesOf = ({ orderId }: Booking) => readCarrierBook(database, { orderId });

  async function trackingNumberOf(booking: Booking): Promise<string> {
    const outcome = await book(booking);
    return outcome.kind === 'booked' ? outcome.trackingNumber : expect.fail('it was refused');
  }

  it('books a key once, and answers a resend with the first tracking number', async () => {
    const booking = bookingTo('10115');
    const numbers = await Promise.all(Array.from({ length: 5 }, () => trackingNumberOf(booking)));
    expect(new Set(numbers).size).to.equal(1);
    const [entry, ...others] = await entriesOf(booking);
    expect(entry).to.deep.include({ bookingKey: booking.bookingKey, state: 'BOOKED', trackingNumber: numbers[0] });
    expect(others).to.deep.equal([]);
  });

  it('answers each of those that come together with what stands under its own key', async () => {
    const carrier = newCarrier();
    const [known, off, twice, fresh] = [bookingTo('10115'), bookingTo('10115'), bookingTo('10115'), bookingTo('10115')];
    const trackingNumber = await trackingNumberOf(known);
    await cancel(off);
    const together = [twice, off, known, twice, fresh];
    const outcomes = await Promise.all(together.map((booking) => carrier.book(booking, patience())));
    expect(outcomes.map(({ kind }) => kind)).to.deep.equal(['booked', 'refused', 'booked', 'booked', 'booked']);
    expect(outcomes[2]).to.deep.equal({ kind: 'booked', trackingNumber });
    expect(outcomes[3]).to.deep.equal(outcomes[0]);
    for (const [index, booking] of together.entries()) {
      const inBook = (await entriesOf(booking)).map((entry) => ({ kind: 'booked', trackingNumber: entry.trackingNumber }));
      expect(inBook).to.deep.equal(booking === off ? [] : [outcomes[index]]);
    }
  });

  it('shows two bookings of one order, were there ever two', async () => {
    const booking = bookingTo('10115');
    await book(booking);
    await book({ ...booking, bookingKey: randomUUID() });
    expect(await entriesOf(booking)).to.have.length(2);
  });

  it('gives out tracking numbers whose check digits tell of a slip', async () => {
    const number = await trackingNumberOf(bookingTo('10115'));
    expect(number).to.match(/^SIM(-[0-9A-HJKMNP-TV-Z]{4}){3}-\d\d$/);
    // ISO 7064 MOD 97-10: letters count as 10 to 35.
    const symbols = [...number.slice(4).replaceAll('-', '')];
    const remainder = (text: readonly string[]): bigint => BigInt(text.map((symbol) => Number.parseInt(symbol, 36)).join('')) % 97n;
    expect(remainder(symbols)).to.equal(1n);
    // One that takes a letter for a digit moves all others by a place: of these, 1 in 97 passes.
    const slipOf = (symbol = ''): string => (/\d/.test(symbol) ? '01' : 'AB').replace(symbol, '').charAt(0);
    for (const index of symbols.keys()) expect(remainder(symbols.with(index, slipOf(symbols[index])))).not.to.equal(1n);
  });

  it('calls a booking off, once or more, and does not book it again', async () => {
    const booking = bookingTo('10115');
    const trackingNumber = await trackingNumberOf(booking);
    for (let twice = 0; twice < 2; twice += 1) await cancel(booking);
    expect((await book(booking)).kind).to.equal('refused');
    const [entry, ...others] = await entriesOf(booking);
    expect(entry).to.deep.include({ state: 'CANCELLED', trackingNumber });
    expect(others).to.deep.equal([]);
  });

  it('refuses a booking that comes after it was called off', async () => {
    const booking = bookingTo('10115');
    await cancel(booking);
    expect((await book(booking)).kind).to.equal('refused');
    expect(await entriesOf(booking)).to.deep.equal([]);
  });

  it('SIM-REFUSE: refuses for good, in words', async () => {
    const booking = bookingTo('SIM-REFUSE');
    for (let twice = 0; twice < 2; twice += 1) {
      expect(await book(booking)).to.deep.equal({ kind: 'refused', words: 'we do not deliver to postal code SIM-REFUSE' });
    }
    expect(await entriesOf(booking)).to.deep.equal([]);
  });

  it('SIM-SLOW: does not answer until the caller gives up, books nothing by then, and works at the next try', async () => {
    const booking = bookingTo('SIM-SLOW');
    const caller = new AbortController();
    const first = expectRefusal('CARRIER_UNAVAILABLE', book(booking, caller.signal));
    const tries = { name: 'test.tries', text: 'SELECT tries FROM carrier_try WHERE booking_key = $1' };
    await until('the first try is counted', async () => (await database.query(tries, [booking.bookingKey])).length === 1);
    expect(await entriesOf(booking)).to.deep.equal([]);
    const trackingNumber = await trackingNumberOf(booking);
    const why = new Error('the deadline is over');
    caller.abort(why);
    expect((await first).cause).to.equal(why);
    expect((await entriesOf(booking)).map((entry) => entry.trackingNumber)).to.deep.equal([trackingNumber]);
  });

  it('SIM-FAIL: fails twice, booking nothing, and then works', async () => {
    const booking = bookingTo('SIM-FAIL');
    for (let twice = 0; twice < 2; twice += 1) await expectRefusal('CARRIER_UNAVAILABLE', book(booking));
    expect(await entriesOf(booking)).to.deep.equal([]);
    const trackingNumber = await trackingNumberOf(booking);
    expect((await entriesOf(booking)).map((entry) => entry.trackingNumber)).to.deep.equal([trackingNumber]);
  });

  it('SIM-LOST: books and loses the answer; the next try tells of that booking', async () => {
    const booking = bookingTo('SIM-LOST');
    await expectRefusal('CARRIER_UNAVAILABLE', book(booking));
    const booked = await entriesOf(booking);
    expect(booked).to.have.length(1);
    expect(await trackingNumberOf(booking)).to.equal(booked[0]?.trackingNumber);
    expect(await entriesOf(booking)).to.deep.equal(booked);
  });

  it('does nothing for a caller that has given up already', async () => {
    const booking = bookingTo('SIM-LOST');
    await expectRefusal('CARRIER_UNAVAILABLE', book(booking, AbortSignal.abort()));
    expect(await entriesOf(booking)).to.deep.equal([]);
    // That was no try: this is the first.
    await expectRefusal('CARRIER_UNAVAILABLE', book(booking));
  });
});
