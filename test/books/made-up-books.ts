import type {
  AnonymousEntry,
  Book,
  BookingInBooks,
  Books,
  MoneyEntry,
  NoticesInBooks,
  OrderInBooks,
  PaymentInBooks,
  ReservationInBooks,
  ShipmentInBooks,
  StockInBooks,
} from '../../cli/books/books.ts';

/** A product's piles as its table has them; what reservations hold is counted when it is asked for. */
type Piles = Omit<StockInBooks, 'linesReserved' | 'linesSold'>;

/** A shop's books without a database, to be written and spoilt by tests. */
export interface MadeUpShop {
  orders: OrderInBooks[];
  payments: PaymentInBooks[];
  money: MoneyEntry[];
  anonymous: AnonymousEntry[];
  reservations: ReservationInBooks[];
  shipments: ShipmentInBooks[];
  bookings: BookingInBooks[];
  notices: NoticesInBooks[];
  /** Whether events are on their way to notification. */
  eventsWait: boolean;
  stock: Piles[];
}

export function emptyShop(): MadeUpShop {
  return { orders: [], payments: [], money: [], anonymous: [], reservations: [], shipments: [], bookings: [], notices: [], eventsWait: false, stock: [] };
}

/** Reads them as a database would be read: sorted, in pages, and as they are at that moment. */
export function madeUpBooks(shop: MadeUpShop): Books {
  return {
    orders: {
      page: async (after, limit) => page(shop.orders, ({ orderId }) => orderId, after, limit),
      find: async (orderIds) => structuredClone(shop.orders.filter(({ orderId }) => orderIds.includes(orderId))),
      unknown: async (orderIds) => orderIds.filter((id) => !shop.orders.some(({ orderId }) => orderId === id)),
    },
    payments: bookOf(() => shop.payments),
    ledger: {
      ...bookOf(() => shop.money),
      anonymous: async (after, limit) => shop.anonymous.filter(({ entryId }) => entryId > after).slice(0, limit),
    },
    reservations: bookOf(() => shop.reservations),
    shipments: bookOf(() => shop.shipments),
    bookings: bookOf(() => shop.bookings),
    notices: { entriesOf: bookOf(() => shop.notices).entriesOf, mayFollow: async () => shop.eventsWait },
    stock: { page: async (after, limit) => page(shop.stock, ({ productId }) => productId, after, limit).map((piles) => withLines(shop, piles)) },
  };
}

function bookOf<Entry extends { readonly orderId: string }>(entries: () => readonly Entry[]): Book<Entry> {
  return {
    orderIds: async (after, limit) => page([...new Set(entries().map(({ orderId }) => orderId))], (id) => id, after, limit),
    entriesOf: async (orderIds) => structuredClone(entries().filter(({ orderId }) => orderIds.includes(orderId))),
  };
}

function page<Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => string, after: string, limit: number): Entry[] {
  const behind = entries.filter((entry) => keyOf(entry) > after);
  return structuredClone(behind.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).slice(0, limit));
}

function withLines({ reservations }: MadeUpShop, piles: Piles): StockInBooks {
  const held = (wanted: ReservationInBooks['state']): bigint =>
    reservations
      .filter(({ state }) => state === wanted)
      .flatMap(({ lines }) => lines)
      .filter(({ productId }) => productId === piles.productId)
      .reduce((sum, { quantity }) => sum + BigInt(quantity), 0n);
  return { ...piles, linesReserved: held('RESERVED'), linesSold: held('COMMITTED') };
}
