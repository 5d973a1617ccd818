import { create, fromBinary, type Message, type MessageShape, toBinary, type DescMessage } from '@bufbuild/protobuf';
import { anyPack, AnySchema, anyUnpack, type Any, durationFromMs } from '@bufbuild/protobuf/wkt';
import { Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';

import { type AnsweredBy, type Code, CODES, MeshError, type Reason, REASONS, type RetryHint } from '#kit';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '#proto/google/rpc/error_details_pb.js';
import { StatusSchema } from '#proto/google/rpc/status_pb.js';

import { UnpaddedMetadata } from './headers.ts';
import { retryHintOf } from './retry-hint.ts';

/** Trailer of the rich error model (https://grpc.io/docs/guides/error/): a google.rpc.Status. */
const DETAILS_TRAILER = 'grpc-status-details-bin';
/** How long to wait before a call is sent again; below 0: it is not to be (gRFC A6). Any gRPC client with retries heeds it. */
const PUSHBACK_TRAILER = 'grpc-retry-pushback-ms';
/** That a call was refused before any work on it: ours alone, for gRPC has no word for it behind the stream's begin. */
const NOT_STARTED_TRAILER = 'mesh-not-started';
const DOMAIN = 'shopmesh';

/** The sentence travels twice in trailers, of which some clients take no more than 8 KB; over 64 KB the whole answer is lost. */
const MAX_SENTENCE_LENGTH = 2_000;

/** How grpc-js words a message over a limit, on either side. */
const OVER_THE_LIMIT = /^(Received|Sent|Attempted to send) message.* larger than/;

/** The reason of an answer that carries none: what the code alone says. */
const REASON_OF_CODE: Partial<Record<Code, Reason>> = {
  CANCELLED: 'CANCELLED',
  DEADLINE_EXCEEDED: 'DEADLINE_EXCEEDED',
  UNAVAILABLE: 'UNREACHABLE',
  UNIMPLEMENTED: 'UNKNOWN_METHOD',
  INTERNAL: 'INTERNAL',
};

/**
 * Errors that carry nothing but code and sentence: those from outside that gave no reason, and the refusal of a request
 * whose messages are not as many as its contract has, which says so in gRPC's own terms.
 */
const WITHOUT_INFO: ReadonlySet<string> = new Set(['', 'MESSAGE_COUNT' satisfies Reason]);

/** What grpc-js wants of an error: code, sentence and trailers, nothing of its cause. */
export type Status = Pick<StatusObject, 'code' | 'details' | 'metadata'>;

/** Turns an error into the status that goes over the wire, with ErrorInfo, RetryInfo and, for bad fields, BadRequest. */
export function toStatus(error: MeshError): Status {
  const code = CODES.indexOf(error.code);
  // Cutting may leave half a surrogate pair, on which grpc-js would throw and leave the caller without an answer.
  const message = error.message.slice(0, MAX_SENTENCE_LENGTH).toWellFormed();
  const metadata = new UnpaddedMetadata();
  const retry = retryHintOf(error);
  if (retry) setRetryTrailers(metadata, retry);
  const status = create(StatusSchema, { code, message, details: detailsOf(error, retry) });
  metadata.set(DETAILS_TRAILER, Buffer.from(toBinary(StatusSchema, status)));
  return { code, details: message, metadata };
}

function detailsOf(error: MeshError, retry: RetryHint | undefined): Any[] {
  const details = error.foreign.map(({ typeUrl, value }) => create(AnySchema, { typeUrl, value }));
  // An error from outside that has details of its own says all there is to say.
  if (details.length > 0 || WITHOUT_INFO.has(error.reason)) return details;
  details.push(pack(ErrorInfoSchema, { reason: error.reason, domain: DOMAIN, metadata: { ...error.metadata } }));
  if (error.violations.length > 0) {
    details.push(pack(BadRequestSchema, { fieldViolations: error.violations.map((violation) => ({ ...violation })) }));
  }
  if (retry && retry.kind !== 'never') details.push(pack(RetryInfoSchema, { retryDelay: durationFromMs(retry.afterMs) }));
  return details;
}

function setRetryTrailers(metadata: Metadata, retry: RetryHint): void {
  metadata.set(PUSHBACK_TRAILER, retry.kind === 'never' ? '-1' : String(Math.round(retry.afterMs)));
  if (retry.kind === 'not-started') metadata.set(NOT_STARTED_TRAILER, 'true');
}

function readRetryHint(metadata: Metadata): RetryHint | undefined {
  const [pushback] = metadata.get(PUSHBACK_TRAILER);
  if (pushback === undefined) return undefined;
  const afterMs = Number(pushback);
  // gRFC A6: what cannot be read means no, like a number below 0.
  if (!(afterMs >= 0)) return { kind: 'never' };
  return { kind: metadata.get(NOT_STARTED_TRAILER).length > 0 ? 'not-started' : 'after', afterMs };
}

/** Whether a server that knows the rich error model made this status; else grpc-js did, on this side, or a foreign server. */
export function hasDetails({ metadata }: Status): boolean {
  return metadata.get(DETAILS_TRAILER).length > 0;
}

/** Reads an error back from the wire, also from a server that sends no details. */
export function fromStatus({ code, details: message, metadata }: Status, answeredBy?: AnsweredBy): MeshError {
  // CODES lists every number of the protocol; a number outside it is a foreign server's invention.
  const name = (CODES[code] ?? 'UNKNOWN') as Code;
  const details = readDetails(metadata);
  const info = find(details, ErrorInfoSchema);
  const violations = find(details, BadRequestSchema)?.fieldViolations ?? [];
  return new MeshError(name, info?.reason ?? reasonOf(name, message), message, {
    metadata: info?.metadata ?? {},
    violations: violations.map(({ field, description }) => ({ field, description })),
    retry: readRetryHint(metadata),
    answeredBy,
    foreign: info?.domain === DOMAIN ? [] : details.map(({ typeUrl, value }) => ({ typeUrl, value })),
  });
}

/** Whether something thrown by a grpc-js client is a call's status. */
export function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'metadata' in thrown && thrown.metadata instanceof Metadata;
}

/** The error as a remote caller would see it: without its cause. Local calls pass errors through here. */
export function asSeenByCaller(error: MeshError, answeredBy: AnsweredBy): MeshError {
  const { code, reason, message, metadata, violations, foreign } = error;
  return new MeshError(code, reason, message, { metadata, violations, foreign, retry: retryHintOf(error), answeredBy });
}

function reasonOf(code: Code, message: string): string {
  // What grpc-js says for our resolver begins with the reason, such as "NO_INSTANCE: no healthy instance of …".
  const [named] = message.split(':', 1);
  if (named && isReason(named) && REASONS[named] === code) return named;
  if (code === 'RESOURCE_EXHAUSTED' && OVER_THE_LIMIT.test(message)) return 'MESSAGE_TOO_LARGE';
  return REASON_OF_CODE[code] ?? code;
}

function isReason(name: string): name is Reason {
  return Object.hasOwn(REASONS, name);
}

function readDetails(metadata: Metadata): Any[] {
  const [trailer] = metadata.get(DETAILS_TRAILER);
  if (!(trailer instanceof Buffer)) return [];
  try {
    return fromBinary(StatusSchema, trailer).details;
  } catch {
    // A foreign server's broken details must not hide its status.
    return [];
  }
}

function pack<D extends DescMessage>(schema: D, init: Parameters<typeof create<D>>[1]): Any {
  // create() returns MessageShape<D>, which TypeScript does not see to be a Message for an open D.
  return anyPack(schema, create(schema, init) as MessageShape<D> & Message);
}

function find<D extends DescMessage>(details: readonly Any[], schema: D): MessageShape<D> | undefined {
  for (const detail of details) {
    const found = anyUnpack(detail, schema);
    if (found) return found;
  }
  return undefined;
}
