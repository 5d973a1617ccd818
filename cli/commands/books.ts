import { createLog, systemClock } from '#kit';

import { compareBooks } from '../books/compare-books.ts';
import { type LedgerPlace, placeOfLedger } from '../books/ledger-place.ts';
import { openBooks } from '../books/open-books.ts';
import { renderReport, reportForPrograms } from '../books/render-report.ts';
import { askEnvironment } from '../local/control-socket.ts';
import { dataFolder } from '../local/data-folder.ts';
import type { Output } from '../output.ts';
import type { Resolved } from '../settings.ts';
import { settingsOfRunningShop } from './running-shop.ts';

/** What takes longer says how far it is, as often. */
const PROGRESS_EVERY_MS = 2_000;

/** `mesh doctor books`: exit code 1 when the books differ. */
export async function booksCommand(output: Output): Promise<number> {
  const { settings, supervisor } = await settingsOfRunningShop();
  const ledger = await findLedger(settings, supervisor !== undefined);
  const books = await openBooks({ settings, ledger, log: createLog({ level: 'error' }) });
  try {
    const report = await compareBooks(books, { clock: systemClock, onProgress: everyNowAndThen(output) });
    const hasLedger = books.ledger !== undefined;
    output.answer(() => renderReport(report, hasLedger), reportForPrograms(report, hasLedger));
    return report.agree ? 0 : 1;
  } finally {
    await books.stop();
  }
}

async function findLedger(settings: Resolved, isRunning: boolean): Promise<LedgerPlace> {
  const shop = isRunning ? await askEnvironment(dataFolder(settings.values.MESH_DATA_DIR).controlSocket) : undefined;
  const { SIMULATOR_KEY } = await import('#stripe-simulator');
  return placeOfLedger(settings, shop, SIMULATOR_KEY);
}

function everyNowAndThen(output: Output): (what: string) => void {
  let saidAt = systemClock.now();
  return (what) => {
    if (systemClock.now() - saidAt < PROGRESS_EVERY_MS) return;
    saidAt = systemClock.now();
    output.note(`… ${what}`);
  };
}
