import type { AsyncCommand } from 'fast-check';

import type { RealShop } from '../real-shop.ts';
import type { OrderModel, ShopModel } from '../shop-model.ts';

/** Something a buyer, a seller or bad luck does: to the model, to the shop, and the comparison of both. */
export type ShopCommand = AsyncCommand<ShopModel, RealShop>;

/** The number of an order by a number that was drawn before it was known how many there are. */
export function pickOrder({ orders }: Pick<ShopModel, 'orders'>, drawn: number, fits: (order: OrderModel) => boolean = () => true): number | undefined {
  const fitting = orders.flatMap((order, number) => (fits(order) ? [number] : []));
  return fitting[drawn % fitting.length];
}
