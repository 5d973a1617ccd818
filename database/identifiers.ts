import { refusal } from '#kit';

/** Postgres cuts longer names short without an error. */
const MAX_BYTES = 63;

/**
 * A schema's name, quoted: some services are called like a keyword (`order`, `user`).
 * Throws INVALID_SETTING unless it is `[a-z_]+`.
 */
export function quoteSchema(schema: string): string {
  if (!/^[a-z_]+$/.test(schema) || schema.length > MAX_BYTES) {
    throw refusal('INVALID_SETTING', `"${schema}" cannot name a schema; use lower-case letters and underscores`);
  }
  return `"${schema}"`;
}

/** A NOTIFY channel's name, quoted: LISTEN takes no parameters. */
export function quoteChannel(channel: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(channel) || channel.length > MAX_BYTES) {
    throw refusal('INTERNAL', `"${channel}" cannot name a channel; use lower-case letters, digits and underscores`);
  }
  return `"${channel}"`;
}
