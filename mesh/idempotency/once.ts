import type { CallContext } from '../call-context.ts';
import type { EffectTransaction } from './store.ts';

/**
 * Has an effect of one transaction once for the call's idempotency key, and keeps the answer for its repeats. A call without
 * a key has the effect each time.
 */
export async function once<Answer extends object>({ effect }: CallContext, tx: EffectTransaction, work: () => Promise<Answer>): Promise<Answer> {
  await effect?.begin(tx);
  const answer = await work();
  await effect?.conclude(tx, answer);
  return answer;
}
