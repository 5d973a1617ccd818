import { isDeepStrictEqual } from 'node:util';

import { MeshError, refusal } from '#kit';

import type { CardCharge, CardGateway, CardRefund, ChargeAtProvider, RefundAtProvider } from '../../services/payment/card-gateway.ts';

type Refund = { -readonly [K in keyof RefundAtProvider]: RefundAtProvider[K] };
type Charge = Omit<ChargeAtProvider, 'refunds'> & { readonly refunds: Refund[] };

/** A card company in memory, which does on demand what the simulator cannot be brought to do at a given moment. */
export interface CardCompany extends CardGateway {
  /** Requests that reached it, under which key. */
  readonly asked: string[];
  readonly charges: readonly Charge[];
  /** The next `count` requests have their effect, and no answer. */
  loseAnswers(count: number): void;
  /** The next `count` refunds are refused. */
  refuseRefunds(count: number): void;
  /** While it is away, nothing reaches it. */
  away: boolean;
  /** What becomes of refunds from now on; at first `succeeded`. */
  refundsAre: RefundAtProvider['state'];
  /** As after a day: a key that was used means nothing any more. */
  forgetKeys(): void;
  /** As new. */
  reset(): void;
  /** Somebody gives money back in its dashboard. */
  refundByHand(orderId: string, minor: bigint): void;
  /** The bank has its word on a refund. */
  settle(stripeRefundId: string, state: RefundAtProvider['state']): void;
}

/** Charges with `pm_card_chargeDeclined` are declined; `pm_unsettled` stays unsettled. */
export function createCardCompany(): CardCompany {
  const charges: Charge[] = [];
  const keys = new Map<string, { request: object; answer: () => unknown }>();
  const asked: string[] = [];
  const trouble = { lost: 0, refused: 0 };
  let ids = 0;

  function once<T>(key: string, request: object, make: () => T): T {
    requireHere();
    asked.push(key);
    const kept = keys.get(key);
    if (kept && !isDeepStrictEqual(kept.request, request)) throw refusal('IDEMPOTENCY_KEY_REUSED', 'the key stands for other values');
    if (!kept) keys.set(key, { request, answer: attempt(make) });
    if (trouble.lost > 0) {
      trouble.lost -= 1;
      throw refusal('PAYMENT_PROVIDER_UNAVAILABLE', 'no answer');
    }
    // What was kept under the key is what `make` returned.
    return keys.get(key)?.answer() as T;
  }

  function requireHere(): void {
    if (company.away) throw refusal('PAYMENT_PROVIDER_UNAVAILABLE', 'nobody there');
  }

  function newRefund(charge: Charge | undefined, amount: RefundAtProvider['amount'], refundId: string | undefined): Refund {
    const left = charge ? leftOf(charge) : 0n;
    if (!charge || amount.minor > left) throw refusal('PAYMENT_REJECTED', `${left} are left`);
    const state = company.refundsAre;
    const refund = { stripeRefundId: `re_${(ids += 1)}`, refundId, amount, state, failure: state === 'failed' ? 'declined' : undefined };
    charge.refunds.unshift(refund);
    return refund;
  }

  const company: CardCompany = {
    asked,
    charges,
    away: false,
    refundsAre: 'succeeded',
    loseAnswers: (count) => void (trouble.lost = count),
    refuseRefunds: (count) => void (trouble.refused = count),
    forgetKeys: () => keys.clear(),
    reset() {
      keys.clear();
      charges.length = 0;
      asked.length = 0;
      Object.assign(trouble, { lost: 0, refused: 0 });
      Object.assign(company, { away: false, refundsAre: 'succeeded' });
    },
    refundByHand: (orderId, minor) => void newRefund(charges.find((charge) => charge.orderId === orderId), { minor, currency: 'EUR' }, undefined),
    settle(stripeRefundId, state) {
      const refund = charges.flatMap(({ refunds }) => refunds).find((candidate) => candidate.stripeRefundId === stripeRefundId);
      Object.assign(refund ?? {}, { state, failure: state === 'failed' ? 'expired_or_canceled_card' : undefined });
    },
    charge: async ({ idempotencyKey, ...request }: CardCharge) =>
      once(idempotencyKey, request, () => {
        const paymentIntentId = `pi_${(ids += 1)}`;
        const { orderId, amount, paymentMethod } = request;
        const outcome = outcomeOf(paymentMethod, paymentIntentId);
        charges.push({ paymentIntentId, orderId, amount, outcome, refunds: [] });
        if (outcome.kind === 'unsettled') throw refusal('PAYMENT_PROVIDER_UNAVAILABLE', 'not settled yet');
        return outcome;
      }),
    async useUpKey({ idempotencyKey, ...request }) {
      try {
        return once(idempotencyKey, request, () => 'used up' as const);
      } catch (thrown) {
        if (MeshError.from(thrown).reason !== 'IDEMPOTENCY_KEY_REUSED') throw thrown;
        return 'used before';
      }
    },
    refund: async ({ idempotencyKey, ...request }: CardRefund) =>
      once(idempotencyKey, request, () => {
        if (trouble.refused > 0) {
          trouble.refused -= 1;
          throw refusal('PAYMENT_REJECTED', 'insufficient funds');
        }
        const charge = charges.find(({ paymentIntentId }) => paymentIntentId === request.paymentIntentId);
        return { ...newRefund(charge, request.amount, request.refundId) };
      }),
    async lookUp(paymentIntentId) {
      requireHere();
      return structuredClone(charges.find((charge) => charge.paymentIntentId === paymentIntentId));
    },
    async findCharges(orderId) {
      requireHere();
      return structuredClone(charges.filter((charge) => charge.orderId === orderId));
    },
  };
  return company;
}

/** What `make` does, once, and the same each time it is asked for. */
function attempt<T>(make: () => T): () => T {
  try {
    const made = make();
    return () => made;
  } catch (thrown) {
    return () => {
      throw thrown;
    };
  }
}

function outcomeOf(paymentMethod: string, paymentIntentId: string): ChargeAtProvider['outcome'] {
  if (paymentMethod === 'pm_unsettled') return { kind: 'unsettled' };
  if (paymentMethod !== 'pm_card_chargeDeclined') return { kind: 'captured', paymentIntentId };
  return { kind: 'declined', paymentIntentId, declineCode: 'generic_decline' };
}

function leftOf({ amount, refunds, outcome }: Charge): bigint {
  if (outcome.kind !== 'captured') return 0n;
  return refunds.reduce((left, refund) => (refund.state === 'failed' ? left : left - refund.amount.minor), amount.minor);
}
