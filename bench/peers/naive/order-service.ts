import { createHash, randomUUID } from 'node:crypto';

import { type MoneyMessage, minorOf, moneyOf } from './catalogue-services.ts';
import { inTransaction, type Pool } from './database.ts';
import { type Peers, runSaga, type SagaState } from './order-saga.ts';
import { appendEvent } from './outbox.ts';
import { type Handlers, Refused } from './rpc.ts';

const ALREADY_EXISTS = 6;

interface PlaceOrderRequest {
  readonly request_id: string;
  readonly user_id: string;
  readonly lines: readonly { readonly product_id: string; readonly quantity: number }[];
  readonly payment_method: string;
  readonly shipping_address: object;
}

interface Product {
  readonly product_id: string;
  readonly name: string;
  readonly price: MoneyMessage;
}

interface OrderRow {
  readonly user_id: string;
  readonly state: string;
  readonly reason: string;
  readonly total_minor: string;
  readonly currency: string;
  readonly tracking_number: string;
}

interface LineRow {
  readonly product_id: string;
  readonly name: string;
  readonly quantity: number;
  readonly price_minor: string;
}

export function orderHandlers(pool: Pool, peers: Peers): Handlers {
  return {
    async PlaceOrder(request: PlaceOrderRequest) {
      const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex');
      const placed = await findPlaced(pool, request.request_id, hash);
      if (placed !== undefined) return { order: await readOrder(pool, placed) };
      const state = await place(pool, peers, request, hash);
      await runSaga(pool, peers, state);
      return { order: await readOrder(pool, state.orderId) };
    },
  };
}

async function findPlaced(pool: Pool, requestId: string, hash: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ order_id: string; request_hash: string }>('SELECT order_id, request_hash FROM idempotency_key WHERE request_id = $1', [requestId]);
  if (rows[0] && rows[0].request_hash !== hash) throw new Refused(ALREADY_EXISTS, 'request_id was used for another order');
  return rows[0]?.order_id;
}

/** Looks the buyer and the products up, and writes the order down. A resend at the same moment fails on the key. */
async function place(pool: Pool, { user, product }: Peers, request: PlaceOrderRequest, hash: string): Promise<SagaState> {
  const { request_id, user_id, payment_method, shipping_address } = request;
  const [, { products }] = await Promise.all([
    user('GetUser', { user_id }),
    product<{ products: readonly Product[] }>('BatchGetProducts', { product_ids: request.lines.map(({ product_id }) => product_id) }),
  ]);
  const byId = new Map(products.map((each) => [each.product_id, each]));
  const lines = request.lines.map(({ product_id, quantity }) => ({ product_id, quantity, name: byId.get(product_id)?.name ?? '', price_minor: priceOf(byId.get(product_id)) }));
  const totalMinor = lines.reduce((sum, { quantity, price_minor }) => sum + quantity * price_minor, 0);
  const currency = products[0]?.price.currency_code ?? '';
  const orderId = randomUUID();
  const wanted = lines.map(({ product_id, quantity }) => ({ product_id, quantity }));
  const state: SagaState = { orderId, userId: user_id, lines: wanted, totalMinor, currency, paymentMethod: payment_method, address: shipping_address };
  await inTransaction(pool, async (tx) => {
    await tx.query('INSERT INTO idempotency_key (request_id, request_hash, order_id) VALUES ($1, $2, $3)', [request_id, hash, orderId]);
    const text = "INSERT INTO orders (order_id, user_id, state, total_minor, currency, payment_method, shipping_address) VALUES ($1, $2, 'PENDING', $3, $4, $5, $6)";
    await tx.query(text, [orderId, user_id, totalMinor, currency, payment_method, shipping_address]);
    for (const { product_id, name, quantity, price_minor } of lines) {
      await tx.query('INSERT INTO order_line (order_id, product_id, name, quantity, price_minor) VALUES ($1, $2, $3, $4, $5)', [orderId, product_id, name, quantity, price_minor]);
    }
    await tx.query("INSERT INTO order_change (order_id, sequence, state) VALUES ($1, 1, 'PENDING')", [orderId]);
    await tx.query("INSERT INTO saga (order_id, status, step, state) VALUES ($1, 'RUNNING', 0, $2)", [orderId, state]);
    await appendEvent(tx, 'OrderPlaced', orderId, { userId: user_id, totalMinor });
  });
  return state;
}

function priceOf(product: Product | undefined): number {
  return product ? minorOf(product.price) : 0;
}

async function readOrder(pool: Pool, orderId: string): Promise<object> {
  const { rows } = await pool.query<OrderRow>('SELECT user_id, state, reason, total_minor, currency, tracking_number FROM orders WHERE order_id = $1', [orderId]);
  const lines = await pool.query<LineRow>('SELECT product_id, name, quantity, price_minor FROM order_line WHERE order_id = $1 ORDER BY product_id', [orderId]);
  const [{ total_minor, currency, state, ...order } = { total_minor: '0', currency: '', state: 'UNSPECIFIED' }] = rows;
  return {
    order_id: orderId,
    ...order,
    state: `ORDER_STATE_${state}`,
    total: moneyOf(Number(total_minor), currency),
    lines: lines.rows.map(({ price_minor, ...line }) => ({ ...line, unit_price: moneyOf(Number(price_minor), currency) })),
  };
}
