import { expect } from 'chai';

import { expectAgreement, viewOf } from '../agreement.ts';
import { eventually } from '../answers.ts';
import { get, orderAtRest, type RealShop, sendRequest, watch } from '../real-shop.ts';
import { type Change, type End, failureOf, NO_SHIPMENT, type OrderView, shortageOf, type ShopModel } from '../shop-model.ts';
import { describeTrouble, inTrouble, mayMeet, type Trouble } from '../trouble.ts';
import { describeWanted, type Wanted } from '../wanted.ts';
import { cancelOrder } from './after-sale.ts';
import type { ShopCommand } from './command.ts';
import { type Draft, wantedOf } from './place.ts';

/** An order is called off as soon as it is seen, and watched meanwhile: how far it has got by then is anybody's guess. */
export function cancelPending(draft: Draft, trouble?: Trouble): ShopCommand {
  return {
    check: (model) => mayMeet(model, trouble),
    toString: () => `place an order and cancel it at once${describeTrouble(trouble)}: ${describeWanted(wantedOf({ products: [] }, draft))}`,
    async run(model, real) {
      const wanted = wantedOf(model, draft);
      real.journal.push(`place an order and cancel it at once${describeTrouble(trouble)}: ${describeWanted(wanted)}`);
      const { orderId, refusal, watched } = await inTrouble(model, real, trouble, (headers) => placeAndCancel(model, real, wanted, headers));
        const number = real.orderIds.push(orderId) - 1;
      const view = await viewOf(real, number);
      real.journal.push(`  ${refusal === '' ? 'it was cancelled' : `the cancellation was refused: ${refusal}`}`);
      const changes = await watch(real, orderId, 0);
      expect(changes.slice(0, watched.length), 'what was seen by who watched').to.deep.equal(watched);
      adopt(model, { wanted, refusal, view, changes });
      model.requests.push({ wanted, order: number });
      await expectAgreement(model, real, [number]);
    },
  };
}

async function placeAndCancel(model: ShopModel, real: RealShop, wanted: Wanted, headers: Record<string, string>) {
  const placing = sendRequest(real, model.requests.length, wanted, headers);
  // Whoever fails first is heard; the others come to their own end.
  placing.catch(() => undefined);
  const orderId = await eventually('the order is there', real.over.signal, async () => {
    const { orders } = await get(real, () => real.shop.orders.listOrders({ userId: real.userId, pageSize: 1 }));
    const newest = orders[0]?.orderId;
    return newest === undefined || real.orderIds.includes(newest) ? undefined : newest;
  });
  const [refusal, watched, placed] = await Promise.all([cancelOrder(real, orderId), watch(real, orderId, 0), placing]);
  expect(placed.value?.orderId, 'the order that was placed').to.equal(orderId);
  await orderAtRest(real, orderId);
  return { orderId, refusal, watched };
}

interface Ended {
  readonly wanted: Wanted;
  /** Of the cancellation. */
  readonly refusal: string;
  readonly view: OrderView;
  readonly changes: readonly Change[];
}

const CANCELLED: Change = ['CANCELLED', 'CANCELLED_BY_CALLER'];

/** Lets the model have seen what can have happened. */
function adopt(model: ShopModel, { wanted, refusal, view, changes }: Ended): void {
  const undisturbed = model.endOf(wanted);
  expect(refusal, 'refusal of CancelOrder').to.be.oneOf(['', undisturbed === 'CONFIRMED' ? 'ORDER_CONFIRMING' : 'ORDER_FAILED']);
  if (refusal !== '') return void model.place(wanted, undisturbed);
  const shortage = shortageOf(model.available(), wanted);
  // As one that fails before anything is charged; what was charged by then is given back.
  const number = model.place(wanted, shortage ?? 'OUT_OF_STOCK');
  const { totalMinor } = model.order(number);
  const ways = waysToCancelled(shortage ?? failureOf(wanted), totalMinor);
  const way = { captures: view.captures, refunds: view.refunds, shipment: view.shipment, changes };
  expect(ways, 'the ways in which an order is cancelled').to.deep.include(way);
  model.rewrite(number, { state: 'CANCELLED', reason: 'CANCELLED_BY_CALLER', ...way });
}

type Way = Pick<OrderView, 'captures' | 'refunds' | 'shipment'> & { readonly changes: readonly Change[] };

/** @param failure what the order would have failed by */
function waysToCancelled(failure: End | undefined, totalMinor: number): Way[] {
  const early: readonly Change[] = [['PENDING', ''], CANCELLED];
  const untouched = { captures: [], refunds: [], shipment: NO_SHIPMENT, changes: early };
  const charged = { captures: [totalMinor], refunds: [totalMinor], changes: early };
  if (failure === 'CARRIER_REFUSED') return [untouched, { ...charged, shipment: NO_SHIPMENT }, { ...charged, shipment: 'REFUSED' }];
  if (failure !== undefined) return [untouched];
  const late: readonly Change[] = [['PENDING', ''], ['CONFIRMED', ''], ['CANCELLING', ''], CANCELLED];
  return [untouched, { ...charged, shipment: NO_SHIPMENT }, { ...charged, shipment: 'CANCELLED' }, { ...charged, shipment: 'CANCELLED', changes: late }];
}
