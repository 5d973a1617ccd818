import { create, fromBinary, type Message, type MessageShape, toBinary, type DescMessage } from '@bufbuild/protobuf';
import { anyPack, anyUnpack, type Any } from '@bufbuild/protobuf/wkt';
import { Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';

import { type Code, CODES, MeshError, type Reason, REASONS } from '#kit';
import { BadRequestSchema, ErrorInfoSchema } from '#proto/google/rpc/error_details_pb.js';
import { StatusSchema } from '#proto/google/rpc/status_pb.js';

/** Trailer of the rich error model (https://grpc.io/docs/guides/error/): a google.rpc.Status. */
const DETAILS_TRAILER = 'grpc-status-details-bin';
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

/** What grpc-js wants of an error: code, sentence and trailers, nothing of its cause. */
export type Status = Pick<StatusObject, 'code' | 'details' | 'metadata'>;

/** Turns an error into the status that goes over the wire, with ErrorInfo and, for bad fields, BadRequest. */
export function toStatus(error: MeshError): Status {
  const code = CODES.indexOf(error.code);
  // Cutting may leave half a surrogate pair, on which grpc-js would throw and leave the caller without an answer.
  const message = error.message.slice(0, MAX_SENTENCE_LENGTH).toWellFormed();
  const metadata = new Metadata();
  const details: Any[] = [pack(ErrorInfoSchema, { reason: error.reason, domain: DOMAIN, metadata: { ...error.metadata } })];
  if (error.violations.length > 0) {
    details.push(pack(BadRequestSchema, { fieldViolations: error.violations.map((violation) => ({ ...violation })) }));
  }
  const status = create(StatusSchema, { code, message, details });
  metadata.set(DETAILS_TRAILER, Buffer.from(toBinary(StatusSchema, status)));
  return { code, details: message, metadata };
}

/** Whether a server that knows the rich error model made this status; else grpc-js did, on this side, or a foreign server. */
export function hasDetails({ metadata }: Status): boolean {
  return metadata.get(DETAILS_TRAILER).length > 0;
}

/** Reads an error back from the wire, also from a server that sends no details. */
export function fromStatus({ code, details: message, metadata }: Status): MeshError {
  // CODES lists every number of the protocol; a number outside it is a foreign server's invention.
  const name = (CODES[code] ?? 'UNKNOWN') as Code;
  const details = readDetails(metadata);
  const info = find(details, ErrorInfoSchema);
  const violations = find(details, BadRequestSchema)?.fieldViolations ?? [];
  return new MeshError(name, info?.reason ?? reasonOf(name, message), message, {
    metadata: info?.metadata ?? {},
    violations: violations.map(({ field, description }) => ({ field, description })),
  });
}

/** Whether something thrown by a grpc-js client is a call's status. */
export function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'metadata' in thrown && thrown.metadata instanceof Metadata;
}

/** The error as a remote caller would see it: without its cause. Local calls pass errors through here. */
export function asSeenByCaller(error: MeshError): MeshError {
  return new MeshError(error.code, error.reason, error.message, { metadata: error.metadata, violations: error.violations });
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
