import { expect } from 'chai';

import { areRefusedCancellations, expectAgreement } from '../agreement.ts';
import type { Answer } from '../answers.ts';
import { ask, get, orderAtRest, orderIdOf, type RealShop, watch } from '../real-shop.ts';
import { NO_SHIPMENT, type OrderModel, type Refusal, type ShopModel } from '../shop-model.ts';
import { describeTrouble, inTrouble, mayMeet, type Trouble } from '../trouble.ts';
import { pickOrder, type ShopCommand } from './command.ts';

/** An order that is at rest is called off, or that is refused. */
export function cancel(drawn: number, trouble?: Trouble): ShopCommand {
  return {
    check: (model) => model.orders.length > 0 && mayMeet(model, trouble),
    toString: () => `cancel order ${drawn} (of those that there are)${describeTrouble(trouble)}`,
    async run(model, real) {
      const number = pickOrder(model, drawn) ?? expect.fail('there is no order');
      real.journal.push(`cancel order ${number}${describeTrouble(trouble)}`);
      const refusal = model.cancel(number);
      const reason = await inTrouble(model, real, trouble, (headers) => cancelOrder(real, orderIdOf(real, number), headers));
        expect(reason, 'refusal of CancelOrder').to.equal(refusal);
      if (refusal === 'SHIPMENT_HANDED_OVER') await noteRefusedCancellations(model, real, number);
      await expectAgreement(model, real, [number]);
    },
  };
}

/** The parcel of an order is given to the carrier, or that is refused. */
export function handOver(drawn: number): ShopCommand {
  const shipped = ({ shipment }: OrderModel): boolean => shipment !== NO_SHIPMENT;
  return {
    check: ({ orders }) => orders.some(shipped),
    toString: () => `hand over the parcel of order ${drawn} (of those that have one)`,
    async run(model, real) {
      const number = pickOrder(model, drawn, shipped) ?? expect.fail('no order has a shipment');
      real.journal.push(`hand over the parcel of order ${number}`);
      const refusal = model.handOver(number);
      expect((await handOverParcel(real, orderIdOf(real, number))).reason, 'refusal of HandOverShipment').to.equal(refusal);
      await expectAgreement(model, real, [number]);
    },
  };
}

/** Both at once: exactly one of them happens. */
export function cancelWhileHandedOver(drawn: number): ShopCommand {
  const undecided = ({ state, shipment }: OrderModel): boolean => state === 'CONFIRMED' && shipment === 'SCHEDULED';
  return {
    check: ({ orders }) => orders.some(undecided),
    toString: () => `cancel order ${drawn} (of those that can be) while its parcel is handed over`,
    async run(model, real) {
      const number = pickOrder(model, drawn, undecided) ?? expect.fail('no order can be cancelled');
      real.journal.push(`cancel order ${number} while its parcel is handed over`);
      const orderId = orderIdOf(real, number);
      const [cancelled, handedOver] = await Promise.all([cancelOrder(real, orderId), handOverParcel(real, orderId)]);
      real.journal.push(`  ${handedOver.reason === '' ? 'it was handed over' : 'it was cancelled'}`);
      if (handedOver.reason === '') {
        expect([cancelled, model.handOver(number)]).to.deep.equal(['SHIPMENT_HANDED_OVER', ''] satisfies Refusal[]);
        await noteRefusedCancellations(model, real, number);
      } else {
        expect(['SHIPMENT_CANCELLED', 'ORDER_NOT_CONFIRMED'] satisfies Refusal[]).to.include(handedOver.reason);
        expect([cancelled, model.cancel(number)]).to.deep.equal(['', ''] satisfies Refusal[]);
      }
      await expectAgreement(model, real, [number]);
    },
  };
}

/** Somebody who has seen the first changes of an order wants the others. */
export function watchOn(drawn: number, after: number): ShopCommand {
  return {
    check: ({ orders }) => orders.length > 0,
    toString: () => `watch order ${drawn} (of those that there are) after change ${after}`,
    async run(model, real) {
      const number = pickOrder(model, drawn) ?? expect.fail('there is no order');
      real.journal.push(`watch order ${number} after change ${after}`);
      expect(await watch(real, orderIdOf(real, number), after), `changes of order ${number} after ${after}`).to.deep.equal(model.order(number).changes.slice(after));
    },
  };
}

/** Calls an order off, waits until it is at rest, and returns why that was refused. */
export async function cancelOrder(real: RealShop, orderId: string, headers: Record<string, string> = {}): Promise<string> {
  const { reason } = await ask(real, () => real.shop.orders.cancelOrder({ orderId }, { headers }));
  await orderAtRest(real, orderId);
  return reason;
}

async function handOverParcel(real: RealShop, orderId: string): Promise<Answer<unknown>> {
  const { shipments } = await get(real, () => real.shop.shipping.listShipments({ orderId }));
  const shipmentId = shipments[0]?.shipmentId ?? expect.fail(`order ${orderId} has no shipment`);
  return ask(real, () => real.shop.shipping.handOverShipment({ shipmentId }));
}

/** One that got no answer has asked again, and was refused again: how often is to be seen in the changes. */
async function noteRefusedCancellations(model: ShopModel, real: RealShop, number: number): Promise<void> {
  const { changes } = model.order(number);
  const since = await watch(real, orderIdOf(real, number), changes.length);
  expect(since, 'changes of a cancellation that is refused').to.satisfy(areRefusedCancellations);
  model.rewrite(number, { changes: [...changes, ...since] });
}
