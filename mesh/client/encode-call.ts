import type { Message } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';

import { type MeshError, refusal } from '#kit';

import type { ClientCall } from '../call.ts';
import { toMetadata } from '../headers.ts';
import { encodeRequest } from '../messages.ts';
import type { Method } from '../method.ts';
import { attemptOptions } from './attempt.ts';

/** What of a call crosses the border ahead of its messages. INVALID_ARGUMENT for headers that cannot be written. */
export function encodeHeaders({ method, headers, attempt }: ClientCall): Metadata {
  try {
    return toMetadata(headers, attemptOptions(attempt));
  } catch (cause) {
    throw unwritable(method, cause);
  }
}

/** A request's bytes. INVALID_ARGUMENT for what its contract has no bytes for. */
export function encodeMessage(method: Method, request: Message): Buffer {
  try {
    return encodeRequest(method.desc, request);
  } catch (cause) {
    throw unwritable(method, cause);
  }
}

function unwritable({ fullName }: Method, cause: unknown): MeshError {
  return refusal('INVALID_ARGUMENT', `the request or its headers cannot be written as the contract of ${fullName} has them`, { cause });
}
