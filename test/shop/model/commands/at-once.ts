import { expect } from 'chai';

import { expectAgreement, viewOf } from '../agreement.ts';
import { outcomesOf, type Refill } from '../outcomes.ts';
import { get, orderAtRest, productIdOf, type RealShop, sendRequest } from '../real-shop.ts';
import type { End, ShopModel } from '../shop-model.ts';
import { describeTrouble, inTrouble, mayMeet, type Trouble } from '../trouble.ts';
import { describeWanted, type Wanted } from '../wanted.ts';
import type { ShopCommand } from './command.ts';
import { type Draft, wantedOf } from './place.ts';

/** Several buyers at once, perhaps for more than there is, and perhaps while the seller counts the shelf. */
export interface Rush {
  readonly drafts: readonly Draft[];
  readonly refill?: Omit<Refill, 'sent'> | undefined;
  /** Of the first of them. */
  readonly trouble?: Trouble | undefined;
}

export function rush({ drafts, refill, trouble }: Rush): ShopCommand {
  const title = `place ${drafts.length} orders at once${refill ? `, and set the stock of p${refill.product} to ${refill.available}` : ''}${describeTrouble(trouble)}`;
  return {
    check: (model) => mayMeet(model, trouble),
    toString: () => `${title}: ${drafts.map((draft) => describeWanted(wantedOf({ products: [] }, draft))).join('; ')}`,
    async run(model, real) {
      const wanted = drafts.map((draft) => wantedOf(model, draft));
      real.journal.push(title, ...wanted.map((order) => `  ${describeWanted(order)}`));
      const { numbers, sent } = await placeAtOnce(model, real, wanted, { drafts, refill, trouble });
      const ends = await Promise.all(numbers.map((number) => endOf(real, number)));
      real.journal.push(`  they ended ${ends.join(', ')}`);
      await adopt(model, real, { wanted, ends, refill: refill && { ...refill, sent } });
      await expectAgreement(model, real, numbers);
    },
  };
}

/** Sends the requests, the first of them twice, and returns the numbers of their orders, which the model has yet to hear of, and how often the refill was sent. */
async function placeAtOnce(model: ShopModel, real: RealShop, wanted: readonly Wanted[], { refill, trouble }: Rush): Promise<{ numbers: number[]; sent: number }> {
  const first = model.requests.length;
  let sent = 0;
  const setStock = ({ product, available }: NonNullable<Rush['refill']>): Promise<unknown> => {
    sent += 1;
    return real.shop.inventory.setStock({ productId: productIdOf(real, product), available: BigInt(available) });
  };
  const send = async (index: number, headers?: Record<string, string>): Promise<string> => {
    const { reason, value } = await sendRequest(real, first + index, wanted[index] ?? expect.fail('no such request'), headers);
    expect(reason, 'refusal of PlaceOrder').to.equal('');
    return (await orderAtRest(real, value?.orderId ?? '')).orderId;
  };
  const [twice, others] = await Promise.all([
    inTrouble(model, real, trouble, (headers) => Promise.all([send(0, headers), send(0, headers)])),
    Promise.all(wanted.slice(1).map((_, index) => send(index + 1))),
    refill && get(real, () => setStock(refill)),
  ]);
  expect(twice[1], 'the order of a request that was sent twice').to.equal(twice[0]);
  const orderIds = [twice[0], ...others];
  const numbers = orderIds.map((orderId) => real.orderIds.push(orderId) - 1);
  model.requests.push(...wanted.map((order, index) => ({ wanted: order, order: numbers[index] ?? 0 })));
  return { numbers, sent };
}

async function endOf(real: RealShop, number: number): Promise<End> {
  const { state, reason } = await viewOf(real, number);
  // What it is instead is not among the allowed outcomes.
  return (state === 'CONFIRMED' ? state : reason) as End;
}

interface Ended {
  readonly wanted: readonly Wanted[];
  readonly ends: readonly End[];
  readonly refill: Refill | undefined;
}

/** Lets the model have seen what can have happened. */
async function adopt(model: ShopModel, real: RealShop, { wanted, ends, refill }: Ended): Promise<void> {
  const allowed = outcomesOf(model.available(), wanted, refill);
  const possible = allowed.filter((outcome) => outcome.ends.join() === ends.join());
  const endings = [...new Set(allowed.map((outcome) => outcome.ends.join(', ')))];
  expect(endings, 'all the ways in which these orders can end').to.include(ends.join(', '));
  wanted.forEach((order, index) => model.place(order, ends[index] ?? 'CONFIRMED'));
  if (!refill) return;
  // Whether the shelf was counted before or after an order took its pieces can be seen in what is left.
  const { stock } = await get(real, () => real.shop.inventory.getStock({ productId: productIdOf(real, refill.product) }));
  const left = Number(stock?.available);
  expect(possible.map(({ available }) => available[refill.product]), `what can be left of p${refill.product}`).to.include(left);
  model.setStock(refill.product, left);
}
