import { expect } from 'chai';

import type { Books } from '../../cli/books/books.ts';
import { type BooksReport, compareBooks } from '../../cli/books/compare-books.ts';
import { placeOfLedger } from '../../cli/books/ledger-place.ts';
import { openBooks } from '../../cli/books/open-books.ts';
import { renderReport } from '../../cli/books/render-report.ts';
import { differenceOfRow } from '../../cli/books/totals.ts';
import { loadSettings } from '../../cli/settings.ts';
import { silentLog, systemClock } from '#kit';
import { SIMULATOR_KEY } from '#stripe-simulator';

import { until } from './orders.ts';
import type { Shop } from './shop-fixture.ts';

export interface Strictness {
  /**
   * Whether the tests have called services with ids of orders that were never placed. What stands in the
   * books about those still has to agree, but may be there.
   */
  readonly directCalls?: boolean;
  /** Orders that are left on their way on purpose, such as stuck ones. Default 0. */
  readonly moving?: number;
}

const AT_REST_WITHIN_MS = 30_000;

/** Fails when the books of the shop differ once its orders have come to rest. See `mesh doctor books`. */
export async function expectBooksAgree(shop: Shop, { directCalls = false, moving = 0 }: Strictness = {}): Promise<void> {
  const report = await until('every order is at rest', AT_REST_WITHIN_MS, async () => {
    const found = await compareShop(shop);
    return found.orders.moving <= moving ? found : undefined;
  });
  const differences = report.checks.flatMap(({ listed }) => listed).filter(({ kind }) => !(directCalls && kind === 'unknown order'));
  const unexplained = report.totals.filter((row) => differenceOfRow(row) !== (directCalls ? row.withoutOrder : 0n));
  expect(differences, renderReport(report, true)).to.deep.equal([]);
  expect(unexplained, renderReport(report, true)).to.deep.equal([]);
}

/** Compares the books of a shop that runs, the card simulator's ledger among them. `tamper` puts something between the comparison and what it reads. */
export async function compareShop({ environment }: Pick<Shop, 'environment'>, tamper = (books: Books): Books => books): Promise<BooksReport> {
  const settings = await loadSettings(environment);
  const books = await openBooks({ settings, ledger: placeOfLedger(settings, environment, SIMULATOR_KEY), log: silentLog });
  try {
    expect(books.ledger, 'the ledger').not.to.equal(undefined);
    return await compareBooks(tamper(books), { clock: systemClock });
  } finally {
    await books.stop();
  }
}
