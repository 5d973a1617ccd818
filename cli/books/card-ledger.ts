import type { Queryable } from '#database';
import { MeshError, type Money } from '#kit';
import { fromStripeAmount, type LedgerEntry, ledgerOfNobody, ledgerOfOrders, ordersInLedger } from '#stripe-simulator';

import type { AnonymousEntry, Ledger, MoneyEntry } from './books.ts';
import type { StrayInBooks } from './service-books.ts';

/**
 * The book of the card-payment simulator.
 *
 * @param straysOf captures besides an order's payment that payment has given back: where they came to nothing they are left out
 */
export function createCardLedger(db: Queryable, straysOf: (orderIds: readonly string[]) => Promise<readonly StrayInBooks[]>): Ledger {
  return {
    orderIds: (after, limit) => ordersInLedger(db, after, limit),
    async entriesOf(orderIds) {
      // Read before the ledger: what payment says went back can be found there.
      const strays = new Set((await straysOf(orderIds)).map(({ paymentIntentId }) => paymentIntentId));
      const byIntent = Map.groupBy(await ledgerOfOrders(db, orderIds), ({ paymentIntentId }) => paymentIntentId);
      return [...byIntent].flatMap(([intent, entries]) => (strays.has(intent) && netOf(entries) === 0n ? [] : entries.map(ofOrder)));
    },
    anonymous: async (after, limit) => (await ledgerOfNobody(db, after, limit)).map(ofNobody),
  };
}

function netOf(entries: readonly LedgerEntry[]): bigint {
  return entries.reduce((net, { kind, amountMinor }) => (kind === 'refund' ? net - amountMinor : net + amountMinor), 0n);
}

const KINDS = { capture: 'capture', refund: 'refund', refund_failure: 'refund failure' } as const satisfies Record<LedgerEntry['kind'], MoneyEntry['kind']>;

function ofOrder({ kind, objectId, orderId, amountMinor, currency }: LedgerEntry): MoneyEntry {
  // Read by the ids of orders, so it has one.
  return { kind: KINDS[kind], objectId, orderId: orderId ?? '', amount: moneyOf(amountMinor, currency) };
}

function ofNobody({ entryId, kind, objectId, amountMinor, currency }: LedgerEntry): AnonymousEntry {
  return { entryId, kind: KINDS[kind], objectId, amount: moneyOf(amountMinor, currency) };
}

/** An amount that is a part of the smallest one is kept as it is, under a currency of its own: it can equal no order's total. */
function moneyOf(amount: bigint, currency: string): Money {
  try {
    return fromStripeAmount(amount, currency);
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'PAYMENT_REJECTED') throw thrown;
    return { minor: amount, currency: `${currency} in Stripe's unit` };
  }
}
