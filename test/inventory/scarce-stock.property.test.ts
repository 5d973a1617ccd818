import { expect } from 'chai';

import { seededRandom } from '../mesh/balancing/support/seeded-random.ts';
import { openScarceShop, type Order, type ScarceShop } from './scarce-shop.ts';

const SEEDS = [1, 2, 3];
const ROUNDS = 3;
const ORDERS = 60;

/** Seeded by what is asked where; who is faster is left to chance. */
describe('many orders for scarce goods', function () {
  this.timeout(60_000);
  let shop: ScarceShop | undefined;
  afterEach(async () => {
    await shop?.inventory.stop();
    shop = undefined;
  });

  for (const instances of [1, 2]) {
    for (const seed of SEEDS) {
      it(`at ${instances === 1 ? 'one instance' : 'two instances'} are refused only what is not there, and every piece stays accounted for (seed ${seed})`, async () => {
        const random = seededRandom(seed);
        shop = await openScarceShop(instances, random);
        await shop.inventory.asleep();
        const held: Order[] = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          held.push(...(await reserveAtOnce(shop, held)));
          await endAtOnce(shop, held, () => random.number());
        }
        expect(shop.brokenOff(), 'statements that waited for each other in a circle').to.equal(0);
      });
    }
  }

  /** New orders, each third of them twice, beside repeats of those that have their goods. Returns those that got theirs. */
  async function reserveAtOnce({ newOrder, reserve, reservationsOf, balancedStock }: ScarceShop, held: readonly Order[]): Promise<Order[]> {
    const had = await reservationsOf(held);
    const orders = Array.from({ length: ORDERS }, newOrder);
    const again = orders.filter((_, index) => index % 3 === 0);
    const [answers, answersAgain, repeats] = await Promise.all([orders, again, held].map((each) => Promise.all(each.map(reserve))));
    expect(answersAgain).to.deep.equal(answers?.filter((_, index) => index % 3 === 0));
    expect(repeats).to.deep.equal(held.map(({ orderId }) => ['RESERVED', 'COMMITTED'].includes(had.get(orderId)?.state ?? '')));
    const [served, refused] = [orders.filter((_, index) => answers?.[index]), orders.filter((_, index) => !answers?.[index])];
    const [stock, reservations] = [await balancedStock(), await reservationsOf(orders)];
    expect([...reservations.keys()].toSorted()).to.deep.equal(served.map(({ orderId }) => orderId).toSorted());
    // Stock has only become less, so what would fit now has fitted then.
    const fits = ({ lines }: Order): boolean => lines.every(({ productId, quantity }) => (stock.get(productId)?.available ?? 0n) >= quantity);
    expect(refused.filter(fits), 'were refused what was there').to.be.empty;
    return served;
  }

  /** Commit, Release, both or neither of each order that holds goods, while some of them run out; then some sales are taken back. */
  async function endAtOnce(given: ScarceShop, held: readonly Order[], next: () => number): Promise<void> {
    const { inventory, commit, release, restock, runOut, reservationsOf, balancedStock } = given;
    const before = await reservationsOf(held);
    const open = held.filter(({ orderId }) => before.get(orderId)?.state === 'RESERVED');
    const [toCommit, toRelease, toRunOut] = [open.filter(() => next() < 0.6), open.filter(() => next() < 0.4), open.filter(() => next() < 0.2)];
    await runOut(toRunOut);
    inventory.wake();
    const [committed, released] = await Promise.all([toCommit.map(commit), toRelease.map(release)].map((calls) => Promise.all(calls)));
    await inventory.asleep();
    const after = await reservationsOf(held);
    const stateOf = ({ orderId }: Order) => after.get(orderId)?.state;
    toCommit.forEach((order, index) => expect(stateOf(order) === 'COMMITTED').to.equal(committed?.[index]));
    toRelease.forEach((order, index) => expect(['RELEASED', 'EXPIRED'].includes(stateOf(order) ?? '')).to.equal(released?.[index]));
    await balancedStock();
    const sold = held.filter((order) => stateOf(order) === 'COMMITTED' && next() < 0.3);
    expect(await Promise.all(sold.map(restock))).to.deep.equal(sold.map(() => true));
    await balancedStock();
  }
});
