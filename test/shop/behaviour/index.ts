import type { Shop } from '../shop-fixture.ts';
import { describeCancelling } from './cancelling.ts';
import { describeInventory } from './inventory.ts';
import { describeNotifications } from './notifications.ts';
import { describeOrders } from './orders.ts';
import { describePayments } from './payments.ts';
import { describeProducts } from './products.ts';
import { describeRepeats } from './repeats.ts';
import { describeSagas } from './sagas.ts';
import { describeShipping } from './shipping.ts';
import { describeUsers } from './users.ts';
import { describeWatching } from './watching.ts';

/** What the shop promises, in whichever processes it runs. */
export function describeShop(shopOf: () => Shop): void {
  describeOrders(shopOf);
  describeCancelling(shopOf);
  describeSagas(shopOf);
  describeWatching(shopOf);
  describeUsers(shopOf);
  describeProducts(shopOf);
  describeInventory(shopOf);
  describePayments(shopOf);
  describeShipping(shopOf);
  describeNotifications(shopOf);
  describeRepeats(shopOf);
}
