import type { Message } from '@bufbuild/protobuf';

import type { ResourceClaim } from './claim-resources.ts';
import type { EffectTransaction } from './store.ts';

/**
 * The effect that a call's idempotency key stands for. Only for methods whose key is no primary key of the service's own
 * tables: where the row that is written says by itself that it was there, it is the claim.
 */
export interface Effect {
  /**
   * What is read of the request, where that is less than came: a field that the contract says is not read makes no other
   * request. Default: all of it.
   */
  readAs(request: Message): void;
  /**
   * For a method that answers a repeat with its resource: what `claimResources` needs to claim the key for the resource that
   * is about to be made. Its id is a new one.
   */
  claimOf(resourceId: string): ResourceClaim;
  /** The id of the resource that the same request has made, if it has. IDEMPOTENCY_KEY_REUSED. */
  findResource(): Promise<string | undefined>;
  /**
   * For a method that answers a repeat with its first answer, and asks others before its first transaction: throws like `begin`
   * when the key is taken, so that a repeat gets its answer also where those would refuse it by now. Claims nothing.
   * IDEMPOTENCY_KEY_REUSED.
   */
  leaveIfTaken(): Promise<void>;
  /**
   * For a method that answers a repeat with its first answer: claims the key in the first transaction of the effect. Throws
   * when it is taken; let that roll the transaction back and leave the handler, for the call is then answered without it.
   * Resolves, too, in the repeat of a call that died between two transactions of its effect. IDEMPOTENCY_KEY_REUSED.
   */
  begin(tx: EffectTransaction): Promise<void>;
  /** Stores the answer in the last transaction of the effect, which may be the first. */
  conclude(tx: EffectTransaction, answer: object): Promise<void>;
}
