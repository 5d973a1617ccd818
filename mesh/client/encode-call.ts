import { Metadata } from '@grpc/grpc-js';

import { refusal } from '#kit';

import type { ClientCall } from '../call.ts';
import { encodeRequest } from '../messages.ts';

/** What of a call crosses the border: its headers and the bytes of its request. INVALID_ARGUMENT for what cannot be written. */
export function encodeCall({ method, request, headers }: ClientCall): { metadata: Metadata; message: Buffer } {
  try {
    const metadata = new Metadata();
    for (const name in headers) metadata.set(name, headers[name] as string);
    return { metadata, message: encodeRequest(method.desc, request) };
  } catch (cause) {
    throw refusal('INVALID_ARGUMENT', `the request or its headers cannot be written as the contract of ${method.fullName} has them`, { cause });
  }
}
