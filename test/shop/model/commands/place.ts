import { expect } from 'chai';

import { expectAgreement } from '../agreement.ts';
import { orderAtRest, orderIdOf, type RealShop, sendRequest } from '../real-shop.ts';
import type { Refusal, RequestModel, ShopModel } from '../shop-model.ts';
import { describeTrouble, inTrouble, mayMeet, type Trouble } from '../trouble.ts';
import { describeWanted, type Wanted } from '../wanted.ts';
import type { ShopCommand } from './command.ts';

/** What a buyer means to ask for, before it is known what the products cost by then. */
export interface Draft extends Pick<Wanted, 'card' | 'carrier'> {
  readonly lines: readonly { readonly product: number; readonly quantity: number; readonly seen: 'not' | 'right' | 'stale' }[];
}

export function wantedOf({ products }: Pick<ShopModel, 'products'>, { lines, card, carrier }: Draft): Wanted {
  const seenPrice = (product: number, seen: Draft['lines'][number]['seen']): number | undefined => {
    const current = products[product]?.priceMinor ?? 0;
    return seen === 'not' ? undefined : seen === 'right' ? current : current + 1;
  };
  return { card, carrier, lines: lines.map(({ product, quantity, seen }) => ({ product, quantity, seenMinor: seenPrice(product, seen) })) };
}

/** One order, with nothing else going on. */
export function place(draft: Draft, trouble?: Trouble): ShopCommand {
  return {
    check: (model) => mayMeet(model, trouble),
    toString: () => `place an order${describeTrouble(trouble)}: ${describeWanted(wantedOf({ products: [] }, draft))}`,
    async run(model, real) {
      const number = model.requests.push({ wanted: wantedOf(model, draft) }) - 1;
      real.journal.push(`request ${number}${describeTrouble(trouble)}: ${describeWanted(requestOf(model, number).wanted)}`);
      await send(model, real, number, trouble);
    },
  };
}

/** A request that was sent before: it means the order that it has placed, however the shop is by now. */
export function sendAgain(drawn: number): ShopCommand {
  return {
    check: ({ requests }) => requests.length > 0,
    toString: () => `send request ${drawn} (of those that there are) again`,
    async run(model, real) {
      const number = drawn % model.requests.length;
      real.journal.push(`request ${number} again: ${describeWanted(requestOf(model, number).wanted)}`);
      await send(model, real, number);
    },
  };
}

/** The key of an order that was placed, with something else in it. */
export function sendOther(drawn: number): ShopCommand {
  return {
    check: ({ requests }) => requests.some(({ order }) => order !== undefined),
    toString: () => `send request ${drawn} (of those that placed an order) again, with other content`,
    async run(model, real) {
      const placed = model.requests.filter(({ order }) => order !== undefined);
      const request = placed[drawn % placed.length] ?? expect.fail('no request has placed an order');
      const number = model.requests.indexOf(request);
      real.journal.push(`request ${number} with other content`);
      const { wanted } = request;
      const { reason } = await sendRequest(real, number, { ...wanted, card: wanted.card === 'good' ? 'declined' : 'good' });
      expect(reason).to.equal('IDEMPOTENCY_KEY_REUSED' satisfies Refusal);
      await expectAgreement(model, real, [request.order ?? 0]);
    },
  };
}

/** Sends a request, which may have been sent before, and compares what comes of it. */
async function send(model: ShopModel, real: RealShop, number: number, trouble?: Trouble): Promise<void> {
  const request = requestOf(model, number);
  const known = request.order;
  const refusal = known === undefined ? model.refusalOf(request.wanted) : '';
  if (known === undefined && refusal === '') request.order = model.place(request.wanted, model.endOf(request.wanted));
  const answer = await inTrouble(model, real, trouble, async (headers) => {
    const sent = await sendRequest(real, number, request.wanted, headers);
    if (sent.value) await orderAtRest(real, sent.value.orderId);
    return sent;
  });
  expect(answer.reason, 'refusal of PlaceOrder').to.equal(refusal);
  if (!answer.value || request.order === undefined) return expectAgreement(model, real, []);
  if (known === undefined) real.orderIds.push(answer.value.orderId);
  expect(answer.value.orderId, 'the order that the request placed').to.equal(orderIdOf(real, request.order));
  await expectAgreement(model, real, [request.order]);
}

export function requestOf({ requests }: ShopModel, number: number): RequestModel {
  return requests[number] ?? expect.fail(`there is no request ${number}`);
}
