import { createHash } from 'node:crypto';

import * as fc from 'fast-check';

import type { FaultyShop } from '../faults/faulty-shop.ts';
import { expectWhole } from './agreement.ts';
import { type Happenings, PRODUCTS } from './arbitraries.ts';
import { allServe } from './commands/processes.ts';
import type { ShopCommand } from './commands/command.ts';
import { setStock } from './commands/seller.ts';
import { beginHistory, type Fleet, type RealShop } from './real-shop.ts';
import { ShopModel } from './shop-model.ts';

export interface Histories {
  readonly seed: string;
  readonly count: number;
  readonly happenings: Happenings;
  readonly fleet: Fleet;
  /** How long to look for a shorter history that shows the same. Default 60,000. */
  readonly shrinkMs?: number;
  /** What is taken for right. Default: {@link ShopModel}. */
  readonly Model?: typeof ShopModel;
}

/** Commands in a history; fast-check draws shorter ones too, which are passed over. */
const LENGTH = { min: 12, max: 18 };

/**
 * Lets random histories happen to a shop and to the model, and fails when they differ: with
 * the shortest history that was found to show it. The seed decides what happens in them;
 * histories share a shop, but not its buyers and products.
 */
export async function expectHistories(shop: FaultyShop, histories: Histories): Promise<void> {
  const { seed, count, happenings, shrinkMs = 60_000 } = histories;
  const commands = fc.commands([fc.oneof(...happenings)], { maxCommands: LENGTH.max, size: 'max', disableReplayLog: true });
  const run = (happening: Iterable<ShopCommand>): Promise<void> => runHistory(shop, histories, happening);
  const long = fc.asyncProperty(commands, async (happening) => {
    fc.pre([...happening].length >= LENGTH.min);
    await run(happening);
  });
  const found = await fc.check(long, { seed: seedNumber(seed), numRuns: count, endOnFailure: true });
  if (!found.failed) return;
  // The same history once more, and shorter ones as long as one of them fails too.
  const path = found.counterexamplePath ?? '';
  const again = { seed: found.seed, path, numRuns: 1, skipAllAfterTimeLimit: shrinkMs };
  const shrunk = await fc.check(fc.asyncProperty(commands, run), again);
  throw new HistoryError(seed, found, shrunk);
}

type Found = Pick<fc.RunDetails<unknown>, 'failed' | 'numShrinks' | 'errorInstance'>;

/** A history in which shop and model differ. */
export class HistoryError extends Error {
  constructor(seed: string, found: Found, shrunk: Found) {
    const how = shrunk.failed
      ? `shortened ${shrunk.numShrinks} times, it is`
      : 'which did not differ when it was run again: look for what depends on the moment';
    const { errorInstance } = shrunk.failed ? shrunk : found;
    const { message, cause } = errorInstance instanceof Error ? errorInstance : new Error(String(errorInstance));
    super(`a history of seed ${seed} differs from the model; ${how}:\n${message}`, { cause });
    this.name = 'HistoryError';
  }
}

async function runHistory(shop: FaultyShop, { fleet, Model = ShopModel }: Histories, happening: Iterable<ShopCommand>): Promise<void> {
  let real: RealShop | undefined;
  try {
    await fc.asyncModelRun(async () => {
      await allServe({ shop, fleet });
      real = await beginHistory(shop, fleet, PRODUCTS.map(({ priceMinor }) => priceMinor));
      const model = new Model(PRODUCTS.map(({ priceMinor }) => ({ priceMinor, stock: undefined })));
      return { real, model };
    }, [...firstStock(), ...happening, theEnd()]);
  } catch (thrown) {
    real?.over.abort();
    const journal = real?.journal.map((line) => `  ${line}`).join('\n') ?? '  it did not even begin';
    throw new Error(`${journal}\n${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
  }
}

function firstStock(): ShopCommand[] {
  return PRODUCTS.flatMap(({ stock }, product) => (stock === undefined ? [] : [setStock(product, stock)]));
}

/** Everybody who died is back, nothing is on its way, and all sums agree. */
function theEnd(): ShopCommand {
  return {
    check: () => true,
    toString: () => 'the end',
    async run(model, real) {
      await allServe(real);
      await expectWhole(model, real);
    },
  };
}

/** fast-check takes 32 bits. */
function seedNumber(seed: string): number {
  return createHash('sha256').update(seed).digest().readInt32BE();
}
