import type { ModuleName } from '#modules';

import { allOf } from './bad-luck.ts';
import { startFleet } from './processes.ts';
import type { ShopCommand } from './command.ts';
import { type Draft, place } from './place.ts';

/** The operator wants more or fewer instances of a service while an order is on its way, which does not notice. */
export function scale(service: ModuleName, count: number, draft: Draft): ShopCommand {
  const ordering = place(draft);
  return {
    check: () => true,
    toString: () => `scale ${service} to ${count}, and meanwhile ${ordering.toString()}`,
    async run(model, real) {
      real.journal.push(`scale ${service} to ${count}, and meanwhile`);
      await allOf(startFleet(real.shop, { [service]: count }), ordering.run(model, real));
    },
  };
}
