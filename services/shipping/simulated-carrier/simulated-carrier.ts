import { once } from 'node:events';

import { SpanKind, type Tracer } from '@opentelemetry/api';

import { createGroupCommit, type Queryable } from '#database';
import { type Clock, type MeshError, type Random, refusal } from '#kit';
import { withSpan } from '#tracing';

import type { BookingOutcome, Carrier, CarrierBooking } from '../carrier.ts';
import { type CarrierBookEntry, countTry, type NewBooking, recordBookings, recordCancellation } from './carrier-book.ts';
import { conductTowards, type Mishap } from './test-addresses.ts';
import { newTrackingNumber } from './tracking-number.ts';

export interface SimulatedCarrierOptions {
  /** Where its book is kept: a schema with its migrations. */
  readonly database: Queryable;
  readonly clock: Clock;
  readonly random: Random;
  readonly tracer: Tracer;
}

/**
 * A carrier that never comes, but keeps its word about bookings across restarts: its book
 * is as durable as shipping's own tables and apart from them. It refuses, is slow, fails and
 * loses answers for the postal codes listed in `test-addresses.ts`, as often as it says there.
 */
export function createSimulatedCarrier({ database, clock, random, tracer }: SimulatedCarrierOptions): Carrier {
  const now = (): Date => new Date(clock.now());
  const record = createGroupCommit<NewBooking, CarrierBookEntry>({ name: 'simulated_carrier.record_booking', tracer, clock }, (bookings) =>
    recordBookings(database, bookings),
  );

  async function book({ bookingKey, orderId, address }: CarrierBooking, signal: AbortSignal): Promise<BookingOutcome> {
    refuseWhenGivenUp(signal);
    const conduct = conductTowards(address.postalCode);
    if (conduct.kind === 'refuses') return { kind: 'refused', words: conduct.words };
    const stumbles = conduct.kind === 'stumbles' && (await countTry(database, bookingKey)) <= conduct.tries;
    const mishap = stumbles ? conduct.mishap : undefined;
    await before(mishap, signal);
    const entry = await record({ bookingKey, orderId, trackingNumber: newTrackingNumber(random), time: now() });
    if (mishap === 'answer lost' || !entry) throw unavailable('its answer was lost');
    return entry.state === 'BOOKED' && entry.trackingNumber !== null
      ? { kind: 'booked', trackingNumber: entry.trackingNumber }
      : { kind: 'refused', words: 'this booking was called off' };
  }

  async function cancel(bookingKey: string, signal: AbortSignal): Promise<void> {
    refuseWhenGivenUp(signal);
    await recordCancellation(database, bookingKey, now());
  }

  return {
    book: (booking, signal) => withSpan(tracer, 'carrier.book', { kind: SpanKind.CLIENT }, () => book(booking, signal)),
    cancel: (bookingKey, signal) => withSpan(tracer, 'carrier.cancel', { kind: SpanKind.CLIENT }, () => cancel(bookingKey, signal)),
  };
}

/** What keeps a try from being booked at all. */
async function before(mishap: Mishap | undefined, signal: AbortSignal): Promise<void> {
  if (mishap === 'unavailable') throw unavailable('it takes no bookings just now');
  if (mishap !== 'no answer') return;
  if (!signal.aborted) await once(signal, 'abort');
  refuseWhenGivenUp(signal);
}

function refuseWhenGivenUp(signal: AbortSignal): void {
  if (signal.aborted) throw unavailable('the caller gave up before it answered', signal.reason);
}

function unavailable(why: string, cause?: unknown): MeshError {
  const sentence = `the carrier gave no answer (${why}); whether it took the shipment is not known: send the same request again`;
  return refusal('CARRIER_UNAVAILABLE', sentence, { cause });
}
