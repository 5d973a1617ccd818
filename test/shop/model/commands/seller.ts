import { expectAgreement } from '../agreement.ts';
import { euros, get, productIdOf } from '../real-shop.ts';
import type { ShopCommand } from './command.ts';

/** The seller counts the shelf. */
export function setStock(product: number, available: number): ShopCommand {
  return {
    check: () => true,
    toString: () => `set the stock of p${product} to ${available}`,
    async run(model, real) {
      real.journal.push(this.toString());
      model.setStock(product, available);
      await get(real, () => real.shop.inventory.setStock({ productId: productIdOf(real, product), available: BigInt(available) }));
      await expectAgreement(model, real, []);
    },
  };
}

/** What was placed before keeps its price, which every later look at it shows. */
export function changePrice(product: number, priceMinor: number): ShopCommand {
  return {
    check: () => true,
    toString: () => `change the price of p${product} to ${priceMinor}`,
    async run(model, real) {
      real.journal.push(this.toString());
      model.changePrice(product, priceMinor);
      await get(real, () => real.shop.products.updateProduct({ productId: productIdOf(real, product), price: euros(priceMinor) }));
      const last = model.orders.length - 1;
      await expectAgreement(model, real, last < 0 ? [] : [last]);
    },
  };
}
