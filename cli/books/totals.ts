import type { Money } from '#kit';

import type { MoneyEntry, OrderFacts } from './books.ts';

/** The money of one currency, in minor units. */
export interface CurrencyTotals {
  readonly currency: string;
  readonly captured: bigint;
  readonly refunded: bigint;
  /** What the confirmed orders cost. */
  readonly confirmed: bigint;
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
    const row = rows.get(currency) ?? { currency, captured: 0n, refunded: 0n, confirmed: 0n, onTheWay: 0n, withoutOrder: 0n };
    row[column] += minor;
    rows.set(currency, row);
  }

  function addMoney(entries: readonly Pick<MoneyEntry, 'kind' | 'amount'>[], netColumn?: Column): void {
    for (const { kind, amount } of entries) {
      add(kind === 'capture' ? 'captured' : 'refunded', amount);
      if (netColumn) add(netColumn, kind === 'capture' ? amount : { ...amount, minor: -amount.minor });
    }
  }

  return {
    addOrder({ order, money }, isMoving) {
      if (order?.state === 'CONFIRMED' && !isMoving) add('confirmed', order.total);
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
  return netOfRow(row) - row.confirmed - row.onTheWay;
}
