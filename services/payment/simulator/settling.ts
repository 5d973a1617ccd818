import { toStripeRefund } from './refund.ts';
import { nextSettlement, settleOne } from './refund-store.ts';
import { now, type Simulator } from './simulator.ts';
import { announce, type Happening } from './webhooks.ts';

/** Refunds in one round; the next one follows at once. */
const BATCH = 32;

/** Lets the refunds settle whose time has come; resolves with the time at which more will. */
export async function settleRefunds(simulator: Simulator): Promise<Date | undefined> {
  const next = await nextSettlement(simulator.db);
  if (next === undefined || next > now(simulator)) return next;
  for (let settled = 0; settled < BATCH && (await settleNext(simulator)); settled += 1) simulator.background.wakeDelivery();
  return nextSettlement(simulator.db);
}

function settleNext(simulator: Simulator): Promise<boolean> {
  return simulator.db.transaction('stripe_simulator.settle', async (tx) => {
    const refund = await settleOne(tx, now(simulator));
    if (refund === undefined) return false;
    const object = toStripeRefund(refund);
    const happenings: Happening[] = [{ type: 'refund.updated', object }];
    if (refund.status === 'failed') happenings.push({ type: 'refund.failed', object });
    await announce(simulator, tx, undefined, happenings);
    return true;
  });
}
