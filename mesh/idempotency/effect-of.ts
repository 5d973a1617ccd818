import { refusal } from '#kit';

import type { CallContext } from '../call-context.ts';
import type { Effect } from './effect.ts';

/** The effect of a call whose contract requires an idempotency key. */
export function effectOf({ effect }: CallContext): Effect {
  if (effect) return effect;
  throw refusal('INTERNAL', 'the handler keeps an idempotency key, and its method has none: say idempotency_key and repeat in its contract, and require the key');
}
