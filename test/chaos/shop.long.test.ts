import { expectBooksAgree } from '../shop/books-agree.ts';
import { type FaultyShop, startFaultyShop } from '../shop/faults/faulty-shop.ts';
import { seedOfRun } from '../shop/faults/sample.ts';
import { CROWDS, DISASTERS, MISHAPS, TRADE } from '../shop/model/arbitraries.ts';
import { startFleet } from '../shop/model/commands/processes.ts';
import { expectHistories } from '../shop/model/histories.ts';
import type { Fleet } from '../shop/model/real-shop.ts';

const DEFAULT_ROUNDS = 20;
/** Leaves room for the run that is under way then. */
const SHRINK_MS = 240_000;

const FLEETS = {
  micro: { user: 1, product: 1, inventory: 2, payment: 1, shipping: 1, order: 2 },
  monolith: { user: 1, product: 1, inventory: 1, payment: 1, shipping: 1, order: 1 },
} satisfies Record<string, Fleet>;

const happenings = [...TRADE, ...CROWDS, ...MISHAPS, ...DISASTERS];

for (const topology of ['micro', 'monolith'] as const) {
  describe(`random histories in which processes die (${topology})`, function () {
    // Each wait of theirs has a limit of its own; then a shorter history is looked for.
    this.timeout(540_000);
    const fleet = FLEETS[topology];
    let shop: FaultyShop;
    before(async () => {
      shop = await startFaultyShop(topology);
      await startFleet(shop, fleet);
    });
    after(() => shop?.stop());

    const rounds = Number(process.env['CHAOS_ROUNDS'] || DEFAULT_ROUNDS);
    for (let round = 0; round < rounds; round += 1) {
      // So that each can be repeated alone, as the first of its own seed.
      const seed = round === 0 ? seedOfRun() : `${seedOfRun()}.${round}`;
      it(`are as the model says (--seed ${seed} --rounds 1)`, () => expectHistories(shop, { seed, count: 1, happenings, fleet, shrinkMs: SHRINK_MS }));
    }

    it('leave books that agree', () => expectBooksAgree(shop));
  });
}
