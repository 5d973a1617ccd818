import { Metadata } from '@grpc/grpc-js';

import { refusal } from '#kit';

/** A header as gRPC sends it: one whose name ends in `-bin` holds bytes. */
export type Header = readonly [name: string, value: string | Buffer];

/** Reads `key:value`, the value of a `-bin` header in base64. INVALID_ARGUMENT for what gRPC cannot send. */
export function readHeader(text: string): Header {
  const colon = text.indexOf(':');
  if (colon <= 0) throw refusal('INVALID_ARGUMENT', `"${text}" is not a header; write it like -H key:value`);
  const name = text.slice(0, colon).trim().toLowerCase();
  const plain = text.slice(colon + 1).trim();
  const value = name.endsWith('-bin') ? Buffer.from(plain, 'base64') : plain;
  try {
    // grpc-js knows best which names and values it takes.
    new Metadata().add(name, value);
  } catch (cause) {
    throw refusal('INVALID_ARGUMENT', `the header ${name} cannot be sent; names are letters, digits, - _ and ., values printable ASCII`, { cause });
  }
  return [name, value];
}
