import type { Carrier } from '../../services/shipping/carrier.ts';

/** Points at which a test holds a call up, or makes it fail as if the process had died there. */
export interface CarrierPoints {
  /** Asked, and nothing done yet. */
  beforeBook?(): Promise<void> | void;
  /** Decided, and the answer not yet sent. */
  afterBook?(): Promise<void> | void;
  beforeCancel?(): Promise<void> | void;
  afterCancel?(): Promise<void> | void;
}

/** A carrier that keeps its book in memory and lets the test watch it. */
export interface FakeCarrier extends Carrier {
  on: CarrierPoints;
  /** Refuses bookings from here on, in these words. */
  refuse(words: string | undefined): void;
  /** The keys that stand for an order: booked, and not called off. */
  standing(orderId: string): string[];
  /** What it was asked to do for a key, in order. */
  asked(bookingKey: string): string[];
}

export function createFakeCarrier(): FakeCarrier {
  const book = new Map<string, { readonly orderId: string; readonly isCancelled: boolean }>();
  const calls: { readonly bookingKey: string; readonly what: string }[] = [];
  let refusal: string | undefined;
  const fake: FakeCarrier = {
    on: {},
    refuse: (words) => void (refusal = words),
    standing: (orderId) => [...book].filter(([, entry]) => entry.orderId === orderId && !entry.isCancelled).map(([key]) => key),
    asked: (bookingKey) => calls.filter((call) => call.bookingKey === bookingKey).map(({ what }) => what),
    async book({ bookingKey, orderId }) {
      calls.push({ bookingKey, what: 'book' });
      await fake.on.beforeBook?.();
      if (refusal === undefined && !book.has(bookingKey)) book.set(bookingKey, { orderId, isCancelled: false });
      const isBooked = book.get(bookingKey)?.isCancelled === false;
      const words = refusal ?? 'this booking was called off';
      await fake.on.afterBook?.();
      return isBooked ? { kind: 'booked', trackingNumber: `track-${bookingKey}` } : { kind: 'refused', words };
    },
    async cancel(bookingKey) {
      calls.push({ bookingKey, what: 'cancel' });
      await fake.on.beforeCancel?.();
      book.set(bookingKey, { orderId: book.get(bookingKey)?.orderId ?? '', isCancelled: true });
      await fake.on.afterCancel?.();
    },
  };
  return fake;
}
