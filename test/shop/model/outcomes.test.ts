import { expect } from 'chai';

import { outcomesOf, type Refill } from './outcomes.ts';
import type { Card, Wanted } from './wanted.ts';

/** An order for so many pieces of one product. */
const pieces = (quantity: number, card: Card = 'good'): Wanted => ({ card, carrier: 'books', lines: [{ product: 0, quantity, seenMinor: undefined }] });

const endings = (available: number | undefined, wanted: readonly Wanted[], refill?: Refill): string[] =>
  outcomesOf([available], wanted, refill).map(({ ends, available: [left] }) => `${ends.join(', ')}: ${left} left`).sort();

describe('orders that are placed at once', () => {
  it('all get what they want where there is enough', () => {
    expect(endings(4, [pieces(1), pieces(3)])).to.deep.equal(['CONFIRMED, CONFIRMED: 0 left']);
  });

  it('let one of two have the last pieces', () => {
    expect(endings(3, [pieces(2), pieces(3)])).to.deep.equal(['CONFIRMED, OUT_OF_STOCK: 1 left', 'OUT_OF_STOCK, CONFIRMED: 0 left']);
  });

  it('may fail for want of pieces that one holds who pays with a bad card', () => {
    expect(endings(2, [pieces(2), pieces(1, 'declined')])).to.deep.equal([
      'CONFIRMED, CARD_DECLINED: 0 left',
      'CONFIRMED, OUT_OF_STOCK: 0 left',
      'OUT_OF_STOCK, CARD_DECLINED: 2 left',
    ]);
  });

  it('take pieces before or after the shelf is counted', () => {
    expect(endings(1, [pieces(1)], { product: 0, available: 5, sent: 1 })).to.deep.equal(['CONFIRMED: 4 left', 'CONFIRMED: 5 left']);
    expect(endings(undefined, [pieces(1)], { product: 0, available: 5, sent: 1 })).to.deep.equal(['CONFIRMED: 4 left', 'STOCK_NOT_SET: 5 left']);
  });

  it('take pieces in between, where the answer to a count was lost and it is made again', () => {
    expect(endings(0, [pieces(1), pieces(1)], { product: 0, available: 1, sent: 2 })).to.include('CONFIRMED, CONFIRMED: 0 left').and.to.include('CONFIRMED, OUT_OF_STOCK: 1 left');
  });

  it('take all of their lines or none', () => {
    const both: Wanted = { ...pieces(1), lines: [0, 1].map((product) => ({ product, quantity: 1, seenMinor: undefined })) };
    const found = outcomesOf([1, 0], [both, pieces(1)]);
    expect(found).to.deep.equal([{ ends: ['OUT_OF_STOCK', 'CONFIRMED'], available: [0, 0] }]);
  });
});
