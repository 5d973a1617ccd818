import { MeshError, printable } from '#kit';

import type { Output } from '../output.ts';
import { SAMPLE_ORDER } from './demo.ts';

export interface GreetingOptions {
  /** Writes the demo data, places the sample order and shows it. */
  readonly show: () => Promise<void>;
  readonly output: Output;
  /** Told to stop meanwhile, it says nothing more. */
  readonly signal: AbortSignal;
}

/** A sample order that fails is told, with how to place it again: it is no reason to end a shop that is up. Never rejects. */
export async function greetWithSample({ show, output, signal }: GreetingOptions): Promise<void> {
  try {
    await show();
  } catch (thrown) {
    if (signal.aborted) return;
    const { code, reason, message } = MeshError.from(thrown);
    output.answer(() => `\nThe shop is up; the sample order failed: ${printable(message)} (${reason}). Try again with\n  ${placeItAgain()}\nWhere the demo data are missing too: npx mesh down, npm start\n`, { error: { code, reason, message } });
  }
}

/** For a shell. Placed a second time under the same id it is the same order. */
function placeItAgain(): string {
  return `npx mesh call --as demo order.PlaceOrder '${JSON.stringify({ requestId: 'sample', ...SAMPLE_ORDER })}'`;
}
