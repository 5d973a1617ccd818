import { rm } from 'node:fs/promises';

import type { StackArgument } from '../peers/naive/stack-program.ts';
import { startProgram } from '../rpc/program.ts';
import { catalogueOf, CURRENCY, PRICE_MINOR, STOCK } from './catalogue.ts';
import type { RunningShop } from './contestant.ts';
import { makeFolder } from './make-folder.ts';
import type { Surroundings } from './surroundings.ts';

/** The shop that we are compared with: see bench/peers/naive/README.md. */
export async function startNaiveShop({ extent, ...surroundings }: Surroundings): Promise<RunningShop> {
  const dataDir = await makeFolder();
  const catalogue = { ...catalogueOf(extent), stock: STOCK, priceMinor: PRICE_MINOR, currency: CURRENCY };
  const argument: StackArgument = { ...surroundings, dataDir, catalogue };
  const program = await startProgram<Pick<RunningShop, 'port' | 'pid' | 'postgresUrl'>>('../peers/naive/stack-program', argument);
  return {
    ...program.ready,
    extent,
    async stop() {
      await program.ask('end');
      await program.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
