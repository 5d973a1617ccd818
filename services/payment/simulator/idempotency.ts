import { createHash } from 'node:crypto';

import { type Database, isUniqueViolation, type Statement, type Transaction } from '#database';

import { type Answer, ApiRefusal } from './answer.ts';
import { canonicalForm, type Form } from './form.ts';

/** A request that is to be carried out once, however often it comes. */
export interface KeyedRequest {
  readonly key: string;
  /** The id of this request; a repeat is told the first one's. */
  readonly requestId: string;
  readonly fingerprint: Buffer;
}

export type Replay = { readonly kind: 'first'; readonly answer: Answer } | Replayed;
type Replayed = { readonly kind: 'replayed'; readonly answer: Answer; readonly originalRequestId: string };

export interface Idempotency {
  /**
   * Answers a repeat from what was kept, else calls `run`, which must {@link keepAnswer}
   * in the transaction of its effect. As Stripe does it
   * (https://docs.stripe.com/api/idempotent_requests): the same key with other values is
   * refused, so is one whose first request is still being carried out, and what is refused
   * before it is carried out is not kept.
   */
  once(request: KeyedRequest | undefined, run: () => Promise<Answer>): Promise<Replay>;
}

export const MAX_KEY_LENGTH = 255;

interface KeptAnswer extends Answer {
  readonly fingerprint: Buffer;
  readonly requestId: string;
}

const FIND: Statement = {
  name: 'stripe_simulator.find_answer',
  text: `SELECT fingerprint, request_id AS "requestId", status, body FROM idempotency_key WHERE key = $1`,
};
const KEEP: Statement = {
  name: 'stripe_simulator.keep_answer',
  text: `INSERT INTO idempotency_key (key, fingerprint, request_id, status, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
};

export function createIdempotency(db: Database): Idempotency {
  const underWay = new Set<string>();

  async function replayOf({ key, fingerprint }: KeyedRequest): Promise<Replayed | undefined> {
    const [kept] = await db.query<KeptAnswer>(FIND, [key]);
    if (kept === undefined) return undefined;
    if (!kept.fingerprint.equals(fingerprint)) throw reused(key);
    return { kind: 'replayed', answer: { status: kept.status, body: kept.body }, originalRequestId: kept.requestId };
  }

  async function carryOut(key: string, run: () => Promise<Answer>): Promise<Answer> {
    if (underWay.has(key)) throw inUse(key);
    underWay.add(key);
    try {
      return await run();
    } catch (thrown) {
      // Somebody was faster since we looked: another request, or another simulator on the same ledger.
      throw isUniqueViolation(thrown, 'idempotency_key_pkey') ? inUse(key) : thrown;
    } finally {
      underWay.delete(key);
    }
  }

  return {
    async once(request, run) {
      if (request === undefined) return { kind: 'first', answer: await run() };
      const { key } = request;
      return (await replayOf(request)) ?? { kind: 'first', answer: await carryOut(key, run) };
    },
  };
}

/** Keeps the answer to a request, together with its effect. A request without a key has nothing to keep. */
export async function keepAnswer(tx: Transaction, request: KeyedRequest | undefined, answer: Answer, now: Date): Promise<void> {
  if (request === undefined) return;
  const { key, fingerprint, requestId } = request;
  await tx.query(KEEP, [key, fingerprint, requestId, answer.status, answer.body, now]);
}

export function fingerprintOf(method: string, path: string, form: Form): Buffer {
  return createHash('sha256').update(`${method} ${path}\n${canonicalForm(form)}`).digest();
}

function reused(key: string): ApiRefusal {
  const message =
    'Keys for idempotent requests can only be used with the same parameters they were first used with. ' +
    `Try using a key other than '${key}' if you meant to execute a different request.`;
  return new ApiRefusal(400, { type: 'idempotency_error', message });
}

function inUse(key: string): ApiRefusal {
  const message = `Another request with the key '${key}' is still being carried out. Send this one again a little later.`;
  return new ApiRefusal(409, { type: 'idempotency_error', code: 'idempotency_key_in_use', message });
}
