import type { Money } from '#kit';

import type {
  BookingInBooks,
  EndNotice,
  NoticesInBooks,
  OrderInBooks,
  PaymentInBooks,
  ReservationInBooks,
  ShipmentInBooks,
  StockInBooks,
} from './service-books.ts';

export type { BookingInBooks, EndNotice, NoticesInBooks, OrderInBooks, PaymentInBooks, ReservationInBooks, ShipmentInBooks, StockInBooks };

/** Money that moved between a card and the shop. */
export interface MoneyEntry {
  /** A refund failure is a refund whose money the bank sent back to the shop. */
  readonly kind: 'capture' | 'refund' | 'refund failure';
  /** The provider's id of the charge or refund. */
  readonly objectId: string;
  readonly orderId: string;
  /** Greater than zero, whichever way it went. */
  readonly amount: Money;
}

/** Money that moved for whatever no order is named for. */
export interface AnonymousEntry extends Omit<MoneyEntry, 'orderId'> {
  /** Its place in the ledger. */
  readonly entryId: bigint;
}

/**
 * A book that names orders. Each database sorts ids by its own collation, so books are
 * walked one by one and compared by equal ids, never merged by their order.
 */
export interface Book<Entry> {
  /** Up to `limit` ids, sorted, each greater than `after`; '' is before the first. */
  orderIds(after: string, limit: number): Promise<readonly string[]>;
  entriesOf(orderIds: readonly string[]): Promise<readonly Entry[]>;
}

/** The payment provider's book. */
export interface Ledger extends Book<MoneyEntry> {
  /** Up to `limit` entries behind the one called `after`, 0 being before the first. */
  anonymous(after: bigint, limit: number): Promise<readonly AnonymousEntry[]>;
}

/** All the books of a shop. Each reading is one statement, so it shows one moment of its book. */
export interface Books {
  readonly orders: {
    page(after: string, limit: number): Promise<readonly OrderInBooks[]>;
    find(orderIds: readonly string[]): Promise<readonly OrderInBooks[]>;
    /** Those of the ids that are no order's. */
    unknown(orderIds: readonly string[]): Promise<readonly string[]>;
  };
  readonly payments: Book<PaymentInBooks>;
  /** Undefined where the provider's book cannot be read: then payment's own table has to say what moved. */
  readonly ledger: Ledger | undefined;
  readonly reservations: Book<ReservationInBooks>;
  readonly shipments: Book<ShipmentInBooks>;
  /** The carrier's. */
  readonly bookings: Book<BookingInBooks>;
  readonly notices: {
    /** One entry for each id. */
    entriesOf(orderIds: readonly string[]): Promise<readonly NoticesInBooks[]>;
    /** Whether events that become notices are on their way, or nobody can tell. */
    mayFollow(): Promise<boolean>;
  };
  readonly stock: { page(after: string, limit: number): Promise<readonly StockInBooks[]> };
}

/** What stands in all books under one order's id. */
export interface OrderFacts {
  readonly orderId: string;
  /** Undefined when there is no such order. */
  readonly order: OrderInBooks | undefined;
  readonly payment: PaymentInBooks | undefined;
  readonly money: readonly MoneyEntry[];
  readonly reservation: ReservationInBooks | undefined;
  readonly shipment: ShipmentInBooks | undefined;
  readonly bookings: readonly BookingInBooks[];
  readonly notices: NoticesInBooks;
}
