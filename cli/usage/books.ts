import type { Command } from 'commander';

import type { Usage } from './usage.ts';

/** Adds `books` to `mesh doctor`. */
export function addBooks(doctor: Command, { output, finish }: Usage): void {
  doctor
    .command('books')
    .description('compare orders, payments, the ledger, stock, shipments and the carrier\'s book; exit code 1 when they differ')
    .addHelpText('after', EXPLANATION)
    .action(async () => {
      const { booksCommand } = await import('../commands/books.ts');
      finish(await booksCommand(output));
    });
}

const EXPLANATION = `
Reads the books of the shop that runs in this folder, or those that DATABASE_URL and its kin name; changes nothing.
The shop may go on meanwhile: what looks wrong is read again, and orders on their way are counted apart.
Fails on a charge, a booking or a sale that belongs to no order. A payment without a charge, a reservation
that holds nothing for good and a shipment without a booking of an unknown order are listed, and harm nobody.
Where cards are charged at Stripe itself, its ledger cannot be read: payment's own table stands in for it.`;
