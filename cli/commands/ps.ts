import { createLog, printable, systemClock } from '#kit';

import { settingsOfRunningShop } from './running-shop.ts';
import type { Output } from '../output.ts';
import { connectControlPlane } from '../serving/control-plane.ts';
import { askAsOperator } from '../status/ask-as-operator.ts';
import { renderShop } from '../status/render-shop.ts';
import { listShop } from '../status/shop-status.ts';

/** `mesh ps`: every registered instance with what it says of itself, and the shop's processes that have none. */
export async function psCommand(output: Output): Promise<void> {
  const { settings, supervisor } = await settingsOfRunningShop();
  const controlPlane = await connectControlPlane(settings, createLog({ level: 'error' }));
  // What is registered is worth showing also where nobody can be asked.
  const ask = askAsOperator(controlPlane, ({ message }) => output.note(`not every instance can be asked for its figures: ${printable(message)}`));
  try {
    const listed = await listShop(controlPlane, supervisor, ask);
    output.answer(() => renderShop(listed, systemClock.now()), listed);
  } finally {
    await controlPlane.stop();
  }
}
