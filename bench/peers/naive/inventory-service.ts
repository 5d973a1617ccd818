import { inTransaction, type Pool, type Tx } from './database.ts';
import { type Handlers, Refused } from './rpc.ts';

const FAILED_PRECONDITION = 9;

interface Line {
  readonly product_id: string;
  readonly quantity: number;
}

export function inventoryHandlers(pool: Pool): Handlers {
  return {
    Reserve: ({ order_id, lines }: { readonly order_id: string; readonly lines: readonly Line[] }) =>
      inTransaction(pool, async (tx) => {
        const known = await stateOf(tx, order_id);
        if (known === undefined) await reserve(tx, order_id, lines);
        return { reservation: { order_id, state: known ?? 'RESERVATION_STATE_RESERVED', lines } };
      }),
    Commit: ({ order_id }: { readonly order_id: string }) => settle(pool, order_id, 'COMMITTED', 'sold'),
    Release: ({ order_id }: { readonly order_id: string }) => settle(pool, order_id, 'RELEASED', 'available'),
  };
}

async function stateOf(tx: Tx, orderId: string): Promise<string | undefined> {
  const { rows } = await tx.query<{ state: string }>('SELECT state FROM reservation WHERE order_id = $1 FOR UPDATE', [orderId]);
  return rows[0] && `RESERVATION_STATE_${rows[0].state}`;
}

async function reserve(tx: Tx, orderId: string, lines: readonly Line[]): Promise<void> {
  await tx.query("INSERT INTO reservation (order_id, state) VALUES ($1, 'RESERVED')", [orderId]);
  // In one order, so that two orders of the same products do not wait for each other in a circle.
  for (const { product_id, quantity } of [...lines].sort((a, b) => (a.product_id < b.product_id ? -1 : 1))) {
    const { rows } = await tx.query<{ available: string }>('SELECT available FROM stock WHERE product_id = $1 FOR UPDATE', [product_id]);
    if (Number(rows[0]?.available ?? 0) < quantity) throw new Refused(FAILED_PRECONDITION, `there are fewer than ${quantity} of ${product_id}`);
    await tx.query('UPDATE stock SET available = available - $2, reserved = reserved + $2 WHERE product_id = $1', [product_id, quantity]);
    await tx.query('INSERT INTO reservation_line (order_id, product_id, quantity) VALUES ($1, $2, $3)', [orderId, product_id, quantity]);
  }
}

function settle(pool: Pool, orderId: string, state: 'COMMITTED' | 'RELEASED', into: 'sold' | 'available'): Promise<object> {
  return inTransaction(pool, async (tx) => {
    if ((await stateOf(tx, orderId)) !== 'RESERVATION_STATE_RESERVED') return { reservation: { order_id: orderId } };
    const { rows } = await tx.query<Line>('SELECT product_id, quantity FROM reservation_line WHERE order_id = $1 ORDER BY product_id', [orderId]);
    for (const { product_id, quantity } of rows) {
      // The column is one of two words of ours.
      await tx.query(`UPDATE stock SET reserved = reserved - $2, ${into} = ${into} + $2 WHERE product_id = $1`, [product_id, quantity]);
    }
    await tx.query('UPDATE reservation SET state = $2 WHERE order_id = $1', [orderId, state]);
    return { reservation: { order_id: orderId, state: `RESERVATION_STATE_${state}` } };
  });
}
