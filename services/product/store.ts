import type { Queryable, Statement } from '#database';
import type { Money, PageRequest } from '#kit';

/** Something to buy. */
export interface Product {
  readonly productId: string;
  readonly name: string;
  /** Empty: none. */
  readonly category: string;
  /** Of one piece. */
  readonly price: Money;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** What to change; undefined stays as it is. */
export interface ProductChange {
  readonly name: string | undefined;
  readonly price: Money | undefined;
  readonly updateTime: Date;
}

interface Row extends Omit<Product, 'price'> {
  readonly priceMinor: bigint;
  readonly currency: string;
}

const COLUMNS = `product_id AS "productId", name, category, price_minor AS "priceMinor", currency,
  create_time AS "createTime", update_time AS "updateTime"`;

const INSERT: Statement = {
  name: 'product.insert',
  text: `INSERT INTO products (product_id, name, category, price_minor, currency, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (product_id) DO NOTHING RETURNING ${COLUMNS}`,
};
const FIND: Statement = { name: 'product.find', text: `SELECT ${COLUMNS} FROM products WHERE product_id = $1` };
// The LIMIT is how many are wanted: with it the planner goes by the primary key, also when it first saw the table empty.
const FIND_SEVERAL: Statement = {
  name: 'product.find_several',
  text: `SELECT ${COLUMNS} FROM (SELECT * FROM unnest($1::text[]) AS given (wanted_id) LIMIT $2) AS wanted JOIN products ON product_id = wanted_id`,
};
// Two statements, because `$1 = '' OR category = $1` would let neither index serve.
const LIST: Statement = { name: 'product.list', text: `SELECT ${COLUMNS} FROM products WHERE product_id > $1 ORDER BY product_id LIMIT $2` };
const LIST_CATEGORY: Statement = {
  name: 'product.list_category',
  text: `SELECT ${COLUMNS} FROM products WHERE category = $3 AND product_id > $1 ORDER BY product_id LIMIT $2`,
};
const UPDATE: Statement = {
  name: 'product.update',
  text: `UPDATE products SET name = coalesce($2, name), price_minor = coalesce($3, price_minor), currency = coalesce($4, currency), update_time = $5
         WHERE product_id = $1 RETURNING ${COLUMNS}`,
};

/** Writes a product; undefined when the id is taken. */
export async function insertProduct(db: Queryable, product: Product): Promise<Product | undefined> {
  const { productId, name, category, price, createTime, updateTime } = product;
  const [row] = await db.query<Row>(INSERT, [productId, name, category, price.minor, price.currency, createTime, updateTime]);
  return row && fromRow(row);
}

export async function findProduct(db: Queryable, productId: string): Promise<Product | undefined> {
  const [row] = await db.query<Row>(FIND, [productId]);
  return row && fromRow(row);
}

/** Those that there are, by their ids, all as they were at one moment. */
export async function findProducts(db: Queryable, productIds: readonly string[]): Promise<ReadonlyMap<string, Product>> {
  const rows = await db.query<Row>(FIND_SEVERAL, [productIds, productIds.length]);
  return new Map(rows.map((row) => [row.productId, fromRow(row)]));
}

/** One entry more than the page holds, so that the caller sees whether there is a next one. An empty category means all. */
export async function listProducts(db: Queryable, category: string, page: PageRequest): Promise<Product[]> {
  const values = [page.after ?? '', page.size + 1];
  const rows = category === '' ? await db.query<Row>(LIST, values) : await db.query<Row>(LIST_CATEGORY, [...values, category]);
  return rows.map(fromRow);
}

/** Changes a product; undefined when there is none. */
export async function updateProduct(db: Queryable, productId: string, { name, price, updateTime }: ProductChange): Promise<Product | undefined> {
  const [row] = await db.query<Row>(UPDATE, [productId, name, price?.minor, price?.currency, updateTime]);
  return row && fromRow(row);
}

function fromRow({ priceMinor, currency, ...product }: Row): Product {
  return { ...product, price: { minor: priceMinor, currency } };
}
