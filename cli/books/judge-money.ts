import { type Money, moneyInWords } from '#kit';

import type { MoneyEntry, OrderFacts, OrderInBooks, PaymentInBooks } from './books.ts';
import type { Difference, DifferenceKind } from './difference.ts';

type Judge = (kind: DifferenceKind, says: string) => Difference;

/** How a difference of this order is written down. */
export function differenceOf({ orderId }: Pick<OrderFacts, 'orderId'>): Judge {
  return (kind, says) => ({ kind, about: 'order', id: orderId, says, fails: true });
}

/** What is left of the captures after the refunds, in each currency in which anything moved. */
function netOf(entries: readonly MoneyEntry[]): Money[] {
  const net = new Map<string, bigint>();
  for (const { kind, amount } of entries) {
    net.set(amount.currency, (net.get(amount.currency) ?? 0n) + (kind === 'refund' ? -amount.minor : amount.minor));
  }
  return [...net].map(([currency, minor]) => ({ minor, currency }));
}

/** What the ledger has as given back of an order, after what the bank sent back, in each currency. */
export function refundedIn(money: readonly MoneyEntry[]): Money[] {
  const given = netOf(money.filter(({ kind }) => kind !== 'capture')).map(({ minor, currency }) => ({ minor: -minor, currency }));
  return given.filter(({ minor }) => minor !== 0n);
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

/** The money of a confirmed order: its total, once, less the parts that payment knows were given back. */
export function judgeSale(facts: OrderFacts, { total }: OrderInBooks): Difference[] {
  const differs = differenceOf(facts);
  const captures = facts.money.filter(({ kind }) => kind === 'capture');
  const [capture] = captures;
  const differences: Difference[] = [];
  if (!capture) differences.push(differs('not captured', `is CONFIRMED for ${moneyInWords(total)} and was never captured`));
  if (capture && captures.length === 1 && !isSame(capture.amount, total)) {
    differences.push(differs('captured another amount', `costs ${moneyInWords(total)} and was captured ${listed(captures)}`));
  }
  return [...differences, ...judgeRefundsOfSale(facts), ...judgePaymentOfSale(facts, total)];
}

/** Parts go back of a sale through payment, which writes them down, or in the provider's dashboard, of which payment hears. */
function judgeRefundsOfSale(facts: OrderFacts): Difference[] {
  const differs = differenceOf(facts);
  const { refunded, refundHeld } = partsOf(facts);
  const inLedger = refundedIn(facts.money);
  const tooMuch = inLedger.filter(({ minor, currency }) => minor > (currency === refundHeld.currency ? refundHeld.minor : 0n));
  if (tooMuch.length > 0) {
    const refunds = listed(facts.money.filter(({ kind }) => kind === 'refund'));
    return [differs('refunded though confirmed', `is CONFIRMED and was refunded ${refunds}, and payment knows of ${moneyInWords(refundHeld)}`)];
  }
  const there = inLedger.find(({ currency }) => currency === refunded.currency)?.minor ?? 0n;
  if (there >= refunded.minor) return [];
  const missing = `was given back ${moneyInWords(refunded)} as its payment says, and ${moneyInWords({ ...refunded, minor: there })} as the ledger does`;
  return [differs('payment differs', missing)];
}

/** The parts of a sale that payment knows to have gone back: they may be all of it. Of a payment that took nothing they are none. */
export function partsOf({ payment }: Pick<OrderFacts, 'payment'>): Pick<PaymentInBooks, 'refunded' | 'refundHeld'> {
  if (payment && isCharged(payment)) return payment;
  const none = { minor: 0n, currency: payment?.amount.currency ?? '' };
  return { refunded: none, refundHeld: none };
}

function judgePaymentOfSale(facts: OrderFacts, total: Money): Difference[] {
  const differs = differenceOf(facts);
  const { payment, money } = facts;
  if (!payment) return [differs('payment differs', 'is CONFIRMED and has no payment')];
  if (!isCharged(payment)) return [differs('payment differs', `is CONFIRMED and its payment is ${payment.state}`)];
  if (!isSame(payment.amount, total)) return [differs('payment differs', `costs ${moneyInWords(total)} and its payment is of ${moneyInWords(payment.amount)}`)];
  return payment.state === 'REFUNDED' && !wentBackWhole(payment, money) ? [differs('payment differs', NEVER_WHOLE)] : [];
}

/** The money of an order that FAILED or was CANCELLED: nothing of it is kept, nothing may be taken any more, and payment knows of what moved. */
export function judgeNoSale(facts: OrderFacts, { state }: OrderInBooks): Difference[] {
  const differs = differenceOf(facts);
  const { payment, money } = facts;
  const kept = netOf(money).filter(({ minor }) => minor > 0n);
  const isOpen = payment?.state === 'COMPLETED' || payment?.state === 'PROCESSING';
  return [
    ...kept.map((net) => differs('not given back', `is ${state} and ${moneyInWords(net)} of it are kept${whyKept(payment)}`)),
    ...(payment && isOpen ? [differs('payment differs', `is ${state} and its payment is ${payment.state}`)] : judgePayment(facts)),
    ...(!payment && money.length > 0 ? [differs('payment differs', `has no payment, and the ledger has ${movements(money)}`)] : []),
  ];
}

function whyKept(payment: PaymentInBooks | undefined): string {
  if (payment?.state !== 'REFUNDED' || payment.refunded.minor === payment.amount.minor) return '';
  return ': the bank sent a refund back, give it back another way';
}

/** A payment beside the ledger: the charge, and what went back of it. PROCESSING may be either, and so may a refund that was only asked for. */
export function judgePayment(facts: OrderFacts): Difference[] {
  const { payment, money } = facts;
  const differs = differenceOf(facts);
  if (!payment || payment.state === 'PROCESSING') return [];
  if (payment.state === 'FAILED') {
    return money.length > 0 ? [differs('payment differs', `has a payment that is FAILED, and the ledger has ${movements(money)}`)] : [];
  }
  const { amount, refunded, refundHeld, state } = payment;
  const captures = money.filter(({ kind }) => kind === 'capture');
  const isCaptured = captures.some((capture) => isSame(capture.amount, amount));
  const inLedger = refundedIn(money);
  const back = inLedger.find(({ currency }) => currency === amount.currency)?.minor ?? 0n;
  const isBack = back >= refunded.minor && back <= refundHeld.minor && inLedger.every(({ currency }) => currency === amount.currency);
  const payments = `has a ${state} payment of ${moneyInWords(amount)}, ${moneyInWords(refunded)} of it given back`;
  if (!isCaptured || !isBack) return [differs('payment differs', `${payments}, and the ledger has ${movements(money) || 'nothing'}`)];
  return state === 'REFUNDED' && !wentBackWhole(payment, money) ? [differs('payment differs', NEVER_WHOLE)] : [];
}

const NEVER_WHOLE = 'has a payment that is REFUNDED, and the ledger never had all of it as given back';

/** A payment stays REFUNDED when the bank sends money back: then what went back is in the ledger, too. */
function wentBackWhole({ amount }: PaymentInBooks, money: readonly MoneyEntry[]): boolean {
  const refunds = money.filter(({ kind, amount: { currency } }) => kind === 'refund' && currency === amount.currency);
  return refunds.reduce((sum, refund) => sum + refund.amount.minor, 0n) >= amount.minor;
}

function isCharged({ state }: PaymentInBooks): boolean {
  return state === 'COMPLETED' || state === 'REFUNDED';
}

export function isSame(a: Money, b: Money): boolean {
  return a.minor === b.minor && a.currency === b.currency;
}

function listed(entries: readonly MoneyEntry[]): string {
  return entries.map(({ amount, objectId }) => `${moneyInWords(amount)} (${objectId})`).join(', ');
}

function movements(money: readonly MoneyEntry[]): string {
  return money.map((entry) => `a ${entry.kind} of ${listed([entry])}`).join(', ');
}
