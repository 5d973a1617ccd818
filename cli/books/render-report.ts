import { amountInWords, printable } from '#kit';

import { table } from '../output.ts';
import type { BooksReport, OrderCounts } from './compare-books.ts';
import type { Check, Difference } from './difference.ts';
import type { CheckResult } from './tally.ts';
import { type CurrencyTotals, differenceOfRow, netOfRow } from './totals.ts';

/** What a check has found to hold where it found no difference. */
const HOLDS: Readonly<Record<Check, string>> = {
  money: 'a confirmed order was captured once, for its total, less parts that payment knows went back; of any other order nothing is kept',
  payments: 'payment\'s own table says the same',
  goods: 'a confirmed order\'s goods are sold; those of any other order are given back',
  shipments: 'a confirmed order has one shipment and one booking at the carrier; any other order has none',
  notices: 'the buyer of every order that has come to rest was told its end, once',
  stock: 'available + reserved + sold is what was received, as the reservations say',
  'unknown orders': 'every charge, booking and sale belongs to an order',
};

/** What remarks of a check are, where they are not of what harms nobody. */
const REMARKS: Partial<Record<Check, string>> = { notices: 'which still wait' };

/** Differences of a check that people are shown. */
const SHOWN = 20;
/** Of a shop whose payments go to Stripe itself. */
const NO_LEDGER =
  'The provider\'s ledger cannot be read here: money is what payment\'s own table says of it. The other side is Stripe\'s dashboard.';

/** The report for people. */
export function renderReport(report: BooksReport, hasLedger: boolean): string {
  return [
    `${counted(report.orders)}; ${report.products} ${report.products === 1 ? 'product' : 'products'}`,
    ...(hasLedger ? [] : [NO_LEDGER]),
    '',
    table([...report.checks.map(({ check, differences }) => [verdict(differences), check, HOLDS[check]]), totalsLine(report.totals)]),
    ...report.checks.flatMap(sectionsOf),
    ...(report.totals.length > 0 ? ['', renderTotals(report.totals)] : []),
    ...(report.orders.moving > 0 ? ['', MOVING] : []),
    ...(report.agree ? [] : ['', WHAT_TO_DO]),
  ].join('\n');
}

/** The report for programs: one document, amounts in minor units as text. */
export function reportForPrograms({ agree, orders, products, totals, checks }: BooksReport, hasLedger: boolean): object {
  return {
    agree,
    ledger: hasLedger ? 'card simulator' : 'out of reach',
    orders,
    products,
    totals: totals.map(totalsForPrograms),
    checks,
  };
}

const WHAT_TO_DO = 'What happened to an order: npx mesh saga list --order <id>, npx mesh trace --order <id>.\nWhat an operator did by hand, past the card company or the services, differs for good; its saga says so.';
const MOVING =
  'Orders on their way are checked for what holds at any time only. Run this again when they have come to rest;\n' +
  '`npx mesh saga list --state stuck` shows those that will not by themselves.';

function counted({ confirmed, failed, cancelled, moving }: OrderCounts): string {
  const orders = confirmed + failed + cancelled + moving;
  return `${orders} ${orders === 1 ? 'order' : 'orders'}: ${confirmed} confirmed, ${failed} failed, ${cancelled} cancelled, ${moving} on their way`;
}

function verdict(differences: number): string {
  return differences === 0 ? 'OK' : `${differences} ${differences === 1 ? 'DIFFERS' : 'DIFFER'}`;
}

function totalsLine(totals: readonly CurrencyTotals[]): string[] {
  const wrong = totals.filter((row) => differenceOfRow(row) !== 0n).length;
  return [verdict(wrong), 'totals', 'captured minus refunded is what the confirmed orders cost, less the parts that went back'];
}

function sectionsOf({ check, differences, remarks, listed, remarked }: CheckResult): string[] {
  return [...section(`${check} differ:`, listed, differences), ...section(`${check}, ${REMARKS[check] ?? 'which harm nobody'}:`, remarked, remarks)];
}

function section(title: string, entries: readonly Difference[], total: number): string[] {
  if (total === 0) return [];
  const shown = entries.slice(0, SHOWN);
  const rest = total - shown.length;
  return ['', title, ...shown.map(({ about, id, says }) => printable(`  ${about} ${id} ${says}`)), ...(rest > 0 ? [`  and ${rest} more`] : [])];
}

const HEAD = ['CURRENCY', 'CAPTURED', 'REFUNDED', 'NET', 'CONFIRMED', 'PARTS BACK', 'ON THE WAY', 'DIFFERENCE'];

function renderTotals(totals: readonly CurrencyTotals[]): string {
  const rows = totals.map((row) => {
    const amounts = [row.captured, row.refunded, netOfRow(row), row.confirmed, row.partsBack, row.onTheWay, differenceOfRow(row)];
    return [row.currency, ...amounts.map((minor) => amountInWords({ minor, currency: row.currency }))];
  });
  return table([HEAD, ...rows]);
}

function totalsForPrograms(row: CurrencyTotals): object {
  const { currency, ...amounts } = row;
  const all = { ...amounts, net: netOfRow(row), difference: differenceOfRow(row) };
  return { currency, ...Object.fromEntries(Object.entries(all).map(([name, minor]) => [name, String(minor)])) };
}
