import { expect } from 'chai';

import { type BooksReport, compareBooks } from '../../cli/books/compare-books.ts';
import { CHECK_OF } from '../../cli/books/difference.ts';
import { differenceOfRow } from '../../cli/books/totals.ts';
import { seededRandom } from '../kit/support.ts';
import { clockOf, compare, found, shopOf } from './comparing.ts';
import { madeUpBooks, type MadeUpShop } from './made-up-books.ts';
import { type Fate, pick, randomShop, shopWith } from './made-up-orders.ts';
import { SPOILINGS } from './spoilings.ts';

describe('comparing the books of a shop', () => {
  it('finds nothing in a shop without orders', async () => {
    const report = await compare(shopOf());
    expect(report).to.deep.include({ agree: true, totals: [], products: 2, orders: { confirmed: 0, failed: 0, cancelled: 0, moving: 0 } });
  });

  it('finds nothing in any shop that kept its books, whatever a page holds', async () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const shop = randomShop(seededRandom(seed));
      const reports = await Promise.all([1, 2, 7, 1_000].map((pageSize) => compare(shop, pageSize)));
      for (const report of reports) {
        expect(found(report), `seed ${seed}`).to.deep.equal([]);
        expect(report.agree, `seed ${seed}`).to.equal(true);
        expect(report, `seed ${seed}`).to.deep.equal(reports[0]);
      }
    }
  });

  it('counts orders by where they stand, and adds their money up by currency', async () => {
    const shop = shopOf('confirmed', 'handed over', 'declined', 'out of stock', 'cancelled', 'placing');
    shop.orders = shop.orders.map((order) => ({ ...order, total: { minor: 700n, currency: 'EUR' } }));
    shop.money = shop.money.map((entry) => ({ ...entry, amount: { minor: 700n, currency: 'EUR' } }));
    shop.payments = shop.payments.map((payment) => {
      const refunded = { minor: payment.state === 'REFUNDED' ? 700n : 0n, currency: 'EUR' };
      return { ...payment, amount: { minor: 700n, currency: 'EUR' }, refunded, refundHeld: refunded };
    });
    const report = await compare(shop);
    expect(report.orders).to.deep.equal({ confirmed: 2, failed: 2, cancelled: 1, moving: 1 });
    // Two confirmed, one cancelled, one charged and not yet confirmed.
    expect(report.totals).to.deep.equal([{ currency: 'EUR', captured: 2_800n, refunded: 700n, confirmed: 1_400n, partsBack: 0n, onTheWay: 700n, withoutOrder: 0n }]);
    expect(report.agree).to.equal(true);
  });

  it('takes parts that went back off what the confirmed orders cost', async () => {
    const shop = shopOf('confirmed', 'partly refunded');
    const amount = { minor: 700n, currency: 'EUR' };
    shop.orders = shop.orders.map((order) => ({ ...order, total: amount }));
    shop.money = shop.money.map((entry) => ({ ...entry, amount: entry.kind === 'refund' ? { ...amount, minor: 300n } : amount }));
    const part = { ...amount, minor: 300n };
    shop.payments = shop.payments.map((payment) => ({ ...payment, amount, ...(payment.orderId === 'order-1' && { refunded: part, refundHeld: part }) }));
    const report = await compare(shop);
    expect(report.totals).to.deep.equal([
      { currency: 'EUR', captured: 1_400n, refunded: 300n, confirmed: 1_400n, partsBack: 300n, onTheWay: 0n, withoutOrder: 0n },
    ]);
    expect(report.agree).to.equal(true);
  });

  it('lets a part that was asked for, and of which nobody knows yet, have gone back or not', async () => {
    const shop = shopOf('partly refunded', 'partly refunded');
    shop.payments = shop.payments.map((payment) => ({ ...payment, refunded: { ...payment.refunded, minor: 0n } }));
    shop.money = shop.money.filter(({ kind, orderId }) => kind === 'capture' || orderId === 'order-1');
    expect(found(await compare(shop))).to.deep.equal([]);
    shop.money.push({ kind: 'refund', objectId: 're_more', orderId: 'order-1', amount: { minor: 1n, currency: shop.payments[1]?.amount.currency ?? '' } });
    expect(found(await compare(shop)).length).to.be.greaterThan(0);
  });

  it('says of money that is kept since the bank sent it back what is to be done', async () => {
    const shop = shopOf('cancelled');
    shop.money.push(...shop.money.filter(({ kind }) => kind === 'refund').map((entry) => ({ ...entry, kind: 'refund failure' as const, objectId: 'back' })));
    shop.payments = shop.payments.map((payment) => ({ ...payment, refunded: { ...payment.refunded, minor: 0n }, refundHeld: { ...payment.refunded, minor: 0n } }));
    const [difference] = found(await compare(shop));
    expect(difference?.says).to.match(/^is CANCELLED and \S+ \w+ of it are kept: the bank sent a refund back, give it back another way$/);
  });

  describe('says what is wrong, and of which order:', () => {
    for (const { what, fates, spoil, finds } of SPOILINGS) {
      for (const fate of fates) {
        it(`${what} (${fate})`, async () => {
          const shop = shopOf('declined', fate, 'confirmed');
          spoil(shop, 'order-1');
          const report = await compare(shop, 2);
          expect(report.agree).to.equal(false);
          const differences = found(report);
          expect([...new Set(differences.map(({ kind }) => kind))].sort()).to.deep.equal([...new Set(finds)].sort());
          expect(differences.filter(({ about }) => about === 'order').every(({ id }) => id === 'order-1')).to.equal(true);
        });
      }
    }

    it('any of these, in any shop and among any other orders', async () => {
      for (let seed = 0; seed < 300; seed += 1) {
        const random = seededRandom(seed);
        const spoiling = pick(SPOILINGS, random);
        const shop = randomShop(random);
        const other = shopWith([pick(spoiling.fates, random)], random);
        for (const book of ['orders', 'payments', 'money', 'reservations', 'shipments', 'bookings', 'notices'] as const) {
          // Each list gets entries of its own kind: the same member of both shops.
          (shop[book] as unknown[]).push(...other[book].map((entry) => ({ ...entry, orderId: 'spoilt' })));
        }
        spoiling.spoil(shop, 'spoilt');
        const differences = found(await compare(shop, 1 + Math.floor(random.number() * 10))).filter(({ about }) => about === 'order');
        const wanted = spoiling.finds.filter((kind) => CHECK_OF[kind] !== 'stock');
        expect(differences.map(({ kind }) => kind), `seed ${seed}: ${spoiling.what}`).to.have.members(wanted);
        expect(new Set(differences.map(({ id }) => id)), `seed ${seed}: ${spoiling.what}`).to.deep.equal(new Set(['spoilt']));
      }
    });
  });

  describe('of stock', () => {
    const changes: Readonly<Record<string, [Partial<MadeUpShop['stock'][number]>, string[]]>> = {
      'one piece more on the shelf': [{ available: 1_001n }, ['pieces do not add up']],
      'one piece more received': [{ received: 1_001n }, ['pieces do not add up']],
      'one piece reserved for nobody': [{ available: 999n, reserved: 1n }, ['reserved pieces differ']],
      'one piece sold to nobody': [{ available: 999n, sold: 1n }, ['sold pieces differ']],
      'fewer than none available': [{ available: -1n, received: -1n }, ['fewer than no pieces', 'fewer than no pieces']],
    };
    for (const [what, [change, kinds]] of Object.entries(changes)) {
      it(`finds ${what}`, async () => {
        const shop = shopOf('declined');
        shop.stock = shop.stock.map((piles) => (piles.productId === 'grinder' ? { ...piles, ...change } : piles));
        const differences = found(await compare(shop, 1));
        expect(differences.map(({ kind }) => kind)).to.deep.equal(kinds);
        expect(differences.every(({ about, id }) => about === 'product' && id === 'grinder')).to.equal(true);
      });
    }
  });

  it('believes payment\'s own table where there is no ledger', async () => {
    const shop = shopOf('confirmed', 'cancelled', 'declined');
    const books = { ...madeUpBooks(shop), ledger: undefined };
    expect((await compareBooks(books, { clock: clockOf() })).agree).to.equal(true);
    shop.payments = shop.payments.map((payment) => ({ ...payment, state: 'FAILED' }));
    const report = await compareBooks(books, { clock: clockOf() });
    expect(found(report).map(({ kind, id }) => [kind, id])).to.deep.equal([
      ['not captured', 'order-0'],
      ['payment differs', 'order-0'],
    ]);
    expect(report.totals.some((row) => differenceOfRow(row) !== 0n)).to.equal(true);
  });

  it('finds nothing where all of a confirmed order went back in parts, with a ledger or without, also when the bank sent one back', async () => {
    const shop = shopOf('refunded in parts');
    const without = (): Promise<BooksReport> => compareBooks({ ...madeUpBooks(shop), ledger: undefined }, { clock: clockOf() });
    for (const report of [await compare(shop), await without()]) expect([found(report), report.agree]).to.deep.equal([[], true]);
    const [part] = shop.money.filter(({ kind }) => kind === 'refund');
    if (!part) expect.fail('no part');
    shop.money.push({ ...part, kind: 'refund failure', objectId: 'back' });
    shop.payments = shop.payments.map((payment) => {
      const rest = { ...payment.amount, minor: payment.amount.minor - part.amount.minor };
      return { ...payment, refunded: rest, refundHeld: rest };
    });
    for (const report of [await compare(shop), await without()]) expect([found(report), report.agree]).to.deep.equal([[], true]);
  });

  it('tells how far it is after each page', async () => {
    const told: string[] = [];
    const books = madeUpBooks(shopOf('confirmed', 'declined', 'placing'));
    await compareBooks(books, { clock: clockOf(), pageSize: 2, onProgress: (what) => told.push(what) });
    expect(told.slice(0, 3)).to.deep.equal(['orders: 2', 'orders: 3', 'payments: 2']);
    expect(told.at(-1)).to.equal('products: 2');
  });

  it('counts all differences, and keeps the first', async () => {
    const shop = shopOf(...Array.from({ length: 50 }, (): Fate => 'confirmed'));
    shop.money = [];
    const report = await compareBooks(madeUpBooks(shop), { clock: clockOf(), keep: 10, pageSize: 7 });
    const money = report.checks.find(({ check }) => check === 'money');
    expect(money).to.include({ differences: 50 });
    expect(money?.listed).to.have.length(10);
  });
});
