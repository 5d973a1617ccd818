import type { Money } from '#kit';

import type { MoneyEntry, OrderFacts } from './books.ts';
import { partsOf, refundedIn } from './judge-money.ts';

/** The money of one currency, in minor units. */
export interface CurrencyTotals {
  readonly currency: string;
  readonly captured: bigint;
  /** Less what the bank sent back. */
  readonly refunded: bigint;
  /** What the confirmed orders cost. */
  readonly confirmed: bigint;
  /** What was given back of confirmed orders, in parts that payment knows of. */
  readonly partsBack: bigint;
  /** Captured less refunded for orders that are still on their way; these are in `captured` and `refunded`, too. */
  readonly onTheWay: bigint;
  /** The same for what no order is known for. */
  readonly withoutOrder: bigint;
}

export interface Totals {
  /** Counts an order's money; that of one that still moves apart, since its books need not agree yet. */
  addOrder(facts: OrderFacts, isMoving: boolean): void;
  /** Counts money that belongs to no order. */
  addStray(entries: readonly Pick<MoneyEntry, 'kind' | 'amount'>[]): void;
  rows(): CurrencyTotals[];
}

type Column = Exclude<keyof CurrencyTotals, 'currency'>;
type Row = { currency: string } & Record<Column, bigint>;

export function createTotals(): Totals {
  const rows = new Map<string, Row>();

  function add(column: Column, { minor, currency }: Money): void {
    const row = rows.get(currency) ?? { currency, captured: 0n, refunded: 0n, confirmed: 0n, partsBack: 0n, onTheWay: 0n, withoutOrder: 0n };
    row[column] += minor;
    rows.set(currency, row);
  }

  function addMoney(entries: readonly Pick<MoneyEntry, 'kind' | 'amount'>[], netColumn?: Column): void {
    for (const { kind, amount } of entries) {
      const negative = { ...amount, minor: -amount.minor };
      add(kind === 'capture' ? 'captured' : 'refunded', kind === 'refund failure' ? negative : amount);
      if (netColumn) add(netColumn, kind === 'refund' ? negative : amount);
    }
  }

  /** Those in the ledger, as far as payment knows of them: one that was only asked for may be there or not. */
  function addParts(facts: OrderFacts): void {
    const { refundHeld } = partsOf(facts);
    for (const { minor, currency } of refundedIn(facts.money)) {
      if (currency === refundHeld.currency) add('partsBack', { minor: minor < refundHeld.minor ? minor : refundHeld.minor, currency });
    }
  }

  return {
    addOrder(facts, isMoving) {
      const { order, money } = facts;
      if (order?.state === 'CONFIRMED' && !isMoving) {
        add('confirmed', order.total);
        addParts(facts);
      }
      addMoney(money, isMoving ? 'onTheWay' : undefined);
    },
    addStray: (entries) => addMoney(entries, 'withoutOrder'),
    rows: () => [...rows.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1)),
  };
}

export function netOfRow({ captured, refunded }: CurrencyTotals): bigint {
  return captured - refunded;
}

/** What the ledger has more than the confirmed orders and those on their way explain; 0 where the books agree. */
export function differenceOfRow(row: CurrencyTotals): bigint {
  return netOfRow(row) - (row.confirmed - row.partsBack) - row.onTheWay;
}
