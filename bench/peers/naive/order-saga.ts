import { setTimeout as delay } from 'node:timers/promises';

import { moneyOf } from './catalogue-services.ts';
import type { ServiceName } from './contracts.ts';
import { inTransaction, type Pool } from './database.ts';
import { appendEvent } from './outbox.ts';
import type { Call } from './rpc.ts';

/** What the steps need. */
export interface SagaState {
  readonly orderId: string;
  readonly userId: string;
  readonly lines: readonly { readonly product_id: string; readonly quantity: number }[];
  readonly totalMinor: number;
  readonly currency: string;
  readonly paymentMethod: string;
  readonly address: object;
  readonly trackingNumber?: string;
}

export type Peers = Readonly<Record<Exclude<ServiceName, 'order'>, Call>>;

type Step = (state: SagaState, peers: Peers) => Promise<Partial<SagaState> | 'declined'>;

const STEPS: readonly Step[] = [
  async ({ orderId, lines }, { inventory }) => {
    await inventory('Reserve', { order_id: orderId, lines });
    return {};
  },
  async ({ orderId, totalMinor, currency, paymentMethod }, { payment }) => {
    const answer = await payment<{ payment: { state: string } }>('Charge', { order_id: orderId, amount: moneyOf(totalMinor, currency), payment_method: paymentMethod });
    return answer.payment.state === 'PAYMENT_STATE_COMPLETED' ? {} : 'declined';
  },
  async ({ orderId, lines, address }, { shipping }) => {
    const answer = await shipping<{ shipment: { tracking_number: string } }>('ScheduleShipment', { order_id: orderId, lines, address });
    return { trackingNumber: answer.shipment.tracking_number };
  },
  async ({ orderId }, { inventory }) => {
    await inventory('Commit', { order_id: orderId });
    return {};
  },
];

const LOOK_EVERY_MS = 5_000;

/** Runs a saga from the step it stands at to its end; each step is written down before the next one. */
export async function runSaga(pool: Pool, peers: Peers, given: SagaState, from = 0): Promise<void> {
  let state = given;
  for (const [index, step] of STEPS.entries()) {
    if (index < from) continue;
    const learnt = await step(state, peers);
    if (learnt === 'declined') {
      await peers.inventory('Release', { order_id: state.orderId });
      return finish(pool, state, 'FAILED', 'CARD_DECLINED');
    }
    state = { ...state, ...learnt };
    const next = state;
    if (index + 1 < STEPS.length) {
      await inTransaction(pool, (tx) => tx.query('UPDATE saga SET step = $2, state = $3, updated_at = now() WHERE order_id = $1', [next.orderId, index + 1, next]));
    }
  }
  await finish(pool, state, 'CONFIRMED', '');
}

function finish(pool: Pool, { orderId, userId, trackingNumber = '' }: SagaState, state: 'CONFIRMED' | 'FAILED', reason: string): Promise<void> {
  return inTransaction(pool, async (tx) => {
    const text = "UPDATE orders SET state = $2, reason = $3, tracking_number = $4, updated_at = now() WHERE order_id = $1 AND state = 'PENDING'";
    const { rowCount } = await tx.query(text, [orderId, state, reason, trackingNumber]);
    await tx.query("UPDATE saga SET status = 'DONE', updated_at = now() WHERE order_id = $1", [orderId]);
    if (rowCount !== 1) return;
    await tx.query('INSERT INTO order_change (order_id, sequence, state) VALUES ($1, 2, $2)', [orderId, state]);
    await appendEvent(tx, state === 'CONFIRMED' ? 'OrderConfirmed' : 'OrderFailed', orderId, { userId, reason });
  });
}

/** Resumes, for ever, what a process that died has left. */
export async function resumeSagas(pool: Pool, peers: Peers): Promise<never> {
  for (;;) {
    const text = "SELECT step, state FROM saga WHERE status <> 'DONE' AND updated_at < now() - interval '30 seconds' LIMIT 100";
    const { rows } = await pool.query<{ step: number; state: SagaState }>(text).catch(() => ({ rows: [] }));
    for (const { step, state } of rows) await runSaga(pool, peers, state, step).catch(() => undefined);
    await delay(LOOK_EVERY_MS);
  }
}
