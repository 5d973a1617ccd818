import type { Resolved } from '../settings.ts';

/** What `mesh up` calls the database of the card simulator's ledger, beside the services'; where it brings Postgres itself, the one of micro has that in its name. */
export const LEDGER_DATABASE = 'stripe_simulator';

/** Where a running shop says that ledger is. Not a setting: nothing else than the books is read from there. */
export const LEDGER_URL = 'STRIPE_SIMULATOR_DATABASE_URL';

/** Where the payment provider's book is. */
export type LedgerPlace =
  | {
      readonly kind: 'card simulator';
      readonly url: string;
      /** Whether somebody runs the simulator on it. Else it is where one would be, if this shop has ever had one. */
      readonly isCertain: boolean;
    }
  /** Stripe's own, or one that nobody names: it cannot be read from here. */
  | { readonly kind: 'out of reach' };

/**
 * @param shop what leads to the servers of the shop that runs here; undefined when none does
 * @param simulatorKey the key that stands for the simulator
 */
export function placeOfLedger({ values }: Resolved, shop: Readonly<Record<string, string>> | undefined, simulatorKey: string): LedgerPlace {
  const { STRIPE_API_KEY: key, DATABASE_URL, DATABASE_OWNER_URL } = values;
  const url = DATABASE_OWNER_URL || DATABASE_URL;
  if (key !== '' && key !== simulatorKey) return { kind: 'out of reach' };
  const told = shop?.[LEDGER_URL];
  if (told) return { kind: 'card simulator', url: told, isCertain: true };
  // What is no URL is refused by whoever opens the services' tables.
  return !URL.canParse(url) ? { kind: 'out of reach' } : { kind: 'card simulator', url: ledgerBeside(url), isCertain: false };
}

/** The ledger's database on the server of another. */
export function ledgerBeside(url: string): string {
  return Object.assign(new URL(url), { pathname: `/${LEDGER_DATABASE}` }).href;
}
