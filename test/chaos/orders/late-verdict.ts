import { randomBytes } from 'node:crypto';

import { EUR_12_50, newProduct, newUser, requestFor, until } from '../../shop/orders.ts';
import type { FaultyShop } from '../../shop/faults/faulty-shop.ts';
import type { Asked } from './traffic.ts';

/** Both stalls, the restart of whoever was just killed, and room for a busy machine. */
const ANSWERED_WITHIN_MS = 60_000;
const MET_WITHIN_MS = 20_000;

/**
 * An instance of order hears that there is no stock, and stands still for `stallMs` where it is about to turn the saga
 * round. Goods come in meanwhile; another instance takes the saga over, reserves, charges, and stands still in its turn,
 * so that the saga is not over when the first one wakes up and writes what it had heard. Without the fence it would give
 * back the other's reservation and fail the order, whose charge nobody knows of then. Returns the order, and whether the
 * first one got as far as to stand still.
 */
export async function sufferLateVerdict(shop: FaultyShop, stallMs: number): Promise<{ readonly asked: Asked; readonly met: boolean }> {
  const buying = await until('a buyer finds a product that is sold out', ANSWERED_WITHIN_MS, async () => ({ userId: await newUser(shop), productId: await newProduct(shop, 0n, EUR_12_50) }));
  const traceId = randomBytes(16).toString('hex');
  const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
  const first = shop.arm({ traceId, point: 'before record reserve', action: { kind: 'stall', ms: stallMs } });
  const second = shop.arm({ traceId, point: 'before step schedule shipment', action: { kind: 'stall', ms: stallMs } });
  const request = requestFor(buying.userId, buying.productId);
  const placing = until('the order is answered', ANSWERED_WITHIN_MS, async () => (await shop.orders.placeOrder(request, { headers })).order);
  const [{ orderId }, met] = await Promise.all([placing, bringStock(shop, buying.productId, () => !first.isArmed())]);
  for (const armed of [first, second]) armed.disarm();
  return { asked: { ...buying, wish: 'bought', orderId }, met };
}

/** False when nobody has stood still by then. */
async function bringStock({ inventory }: FaultyShop, productId: string, isMet: () => boolean): Promise<boolean> {
  const met = await until('an instance stands still', MET_WITHIN_MS, async () => isMet() || undefined).catch(() => false);
  await until('goods come in', ANSWERED_WITHIN_MS, () => inventory.setStock({ productId, available: 10n }));
  return met;
}
