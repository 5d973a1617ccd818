import type { Money } from '#kit';

import type { MoneyEntry, OrderFacts, OrderInBooks } from './books.ts';
import type { Difference, DifferenceKind } from './difference.ts';
import { moneyInWords } from './money-in-words.ts';

type Judge = (kind: DifferenceKind, says: string) => Difference;

/** How a difference of this order is written down. */
export function differenceOf({ orderId }: Pick<OrderFacts, 'orderId'>): Judge {
  return (kind, says) => ({ kind, about: 'order', id: orderId, says, fails: true });
}

/** What is left of the captures after the refunds, in each currency in which anything moved. */
export function netOf(entries: readonly MoneyEntry[]): Money[] {
  const net = new Map<string, bigint>();
  for (const { kind, amount } of entries) {
    net.set(amount.currency, (net.get(amount.currency) ?? 0n) + (kind === 'capture' ? amount.minor : -amount.minor));
  }
  return [...net].map(([currency, minor]) => ({ minor, currency }));
}

/** What holds at any time, also while the order is still on its way. */
export function judgeMovements(facts: OrderFacts): Difference[] {
  const differs = differenceOf(facts);
  const captures = facts.money.filter(({ kind }) => kind === 'capture');
  const overdrawn = netOf(facts.money).filter(({ minor }) => minor < 0n);
  return [
    ...(captures.length > 1 ? [differs('captured more than once', `was captured ${captures.length} times: ${listed(captures)}`)] : []),
    ...overdrawn.map(({ minor, currency }) =>
      differs('refunded more than captured', `was refunded ${moneyInWords({ minor: -minor, currency })} more than was captured`),
    ),
  ];
}

/** The money of a confirmed order: its total, once. */
export function judgeSale(facts: OrderFacts, { total }: OrderInBooks): Difference[] {
  const differs = differenceOf(facts);
  const captures = facts.money.filter(({ kind }) => kind === 'capture');
  const refunds = facts.money.filter(({ kind }) => kind === 'refund');
  const [capture] = captures;
  const differences: Difference[] = [];
  if (!capture) differences.push(differs('not captured', `is CONFIRMED for ${moneyInWords(total)} and was never captured`));
  if (capture && captures.length === 1 && !isSame(capture.amount, total)) {
    differences.push(differs('captured another amount', `costs ${moneyInWords(total)} and was captured ${listed(captures)}`));
  }
  if (refunds.length > 0) differences.push(differs('refunded though confirmed', `is CONFIRMED and was refunded ${listed(refunds)}`));
  return [...differences, ...judgePaymentOfSale(facts, total)];
}

function judgePaymentOfSale(facts: OrderFacts, total: Money): Difference[] {
  const differs = differenceOf(facts);
  const { payment } = facts;
  if (!payment) return [differs('payment differs', 'is CONFIRMED and has no payment')];
  if (payment.state !== 'COMPLETED') return [differs('payment differs', `is CONFIRMED and its payment is ${payment.state}`)];
  if (isSame(payment.amount, total)) return [];
  return [differs('payment differs', `costs ${moneyInWords(total)} and its payment is of ${moneyInWords(payment.amount)}`)];
}

/** The money of an order that FAILED or was CANCELLED: nothing of it is kept. */
export function judgeNoSale(facts: OrderFacts, { state }: OrderInBooks): Difference[] {
  const differs = differenceOf(facts);
  const kept = netOf(facts.money).filter(({ minor }) => minor > 0n);
  return [
    ...kept.map((money) => differs('not given back', `is ${state} and ${moneyInWords(money)} of it are kept`)),
    ...(facts.payment?.state === 'COMPLETED' ? [differs('payment differs', `is ${state} and its payment is COMPLETED`)] : []),
  ];
}

/** A payment beside the ledger, where no order says what should be. PROCESSING may be either. */
export function judgePaymentAlone(facts: OrderFacts): Difference[] {
  const { payment, money } = facts;
  if (!payment || payment.state === 'PROCESSING') return [];
  const differs = differenceOf(facts);
  const net = netOf(money);
  if (payment.state !== 'COMPLETED') {
    const kept = net.filter(({ minor }) => minor > 0n);
    return kept.map((amount) => differs('payment differs', `has a payment that is ${payment.state}, and ${moneyInWords(amount)} of it are kept`));
  }
  if (net.length === 1 && net.every((amount) => isSame(amount, payment.amount))) return [];
  const inLedger = net.map(moneyInWords).join(', ') || 'nothing';
  return [differs('payment differs', `has a COMPLETED payment of ${moneyInWords(payment.amount)}, and the ledger has ${inLedger}`)];
}

export function isSame(a: Money, b: Money): boolean {
  return a.minor === b.minor && a.currency === b.currency;
}

function listed(entries: readonly MoneyEntry[]): string {
  return entries.map(({ amount, objectId }) => `${moneyInWords(amount)} (${objectId})`).join(', ');
}
