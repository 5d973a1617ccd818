import { createHash } from 'node:crypto';

/** Postgres cuts longer names short without an error. */
const MAX_BYTES = 63;
const HASH_CHARACTERS = 12;

/**
 * The name of the role that works on `schema` of `database`, such as `shop.order`. Roles belong to the whole server, so the
 * database is part of the name; a schema has no dot, so no two pairs share one. What is too long keeps its end, behind a hash
 * of the whole.
 */
export function applicationRole(database: string, schema: string): string {
  const name = `${database}.${schema}`;
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS);
  return Buffer.from(`${hash}.${schema}`).subarray(0, MAX_BYTES).toString();
}
