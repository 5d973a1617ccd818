import { fromBinary, type Message } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { type CallOptions, Client, credentials, Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';

import { type BadRequest, BadRequestSchema, type ErrorInfo, ErrorInfoSchema } from '#proto/google/rpc/error_details_pb.js';
import { type Status, StatusSchema } from '#proto/google/rpc/status_pb.js';

/** A grpc-js client that knows nothing of this runtime: bytes in, bytes out. */
export interface PlainClient {
  /** Resolves with the answer's bytes; rejects with the ServiceError of grpc-js. */
  unary(path: string, request: Uint8Array, options?: CallOptions): Promise<Buffer>;
  /** Resolves with everything that came and the status at the end. */
  stream(path: string, request: Uint8Array, options?: CallOptions): Promise<{ messages: Buffer[]; status: StatusObject }>;
  close(): void;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
const asIs = (bytes: Buffer): Buffer => bytes;

export function createPlainClient(port: number): PlainClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
  return {
    unary: (path, request, options = {}) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, asBuffer, asIs, request, new Metadata(), options, (error, answer) => {
          if (error || !answer) reject(error ?? new Error('no answer'));
          else resolve(answer);
        });
      }),
    stream: (path, request, options = {}) =>
      new Promise((resolve) => {
        const messages: Buffer[] = [];
        const call = client.makeServerStreamRequest(path, asBuffer, asIs, request, new Metadata(), options);
        call.on('data', (message: Buffer) => messages.push(message));
        call.on('error', () => undefined);
        call.on('status', (status) => resolve({ messages, status }));
      }),
    close: () => client.close(),
  };
}

/** The rich error model as any client can read it: the trailer holds a google.rpc.Status. */
export interface RichError {
  readonly status: Status;
  readonly info: ErrorInfo | undefined;
  readonly badRequest: BadRequest | undefined;
}

export function richErrorOf({ metadata }: Pick<ServiceError, 'metadata'>): RichError {
  const [trailer] = metadata.get('grpc-status-details-bin');
  if (!(trailer instanceof Buffer)) throw new Error('the status has no details');
  const status = fromBinary(StatusSchema, trailer);
  const first = <M extends Message>(unpack: (detail: Status['details'][number]) => M | undefined): M | undefined =>
    status.details.map(unpack).find((found) => found !== undefined);
  return {
    status,
    info: first((detail) => anyUnpack(detail, ErrorInfoSchema)),
    badRequest: first((detail) => anyUnpack(detail, BadRequestSchema)),
  };
}

/** The error of a plain client's call. */
export async function serviceErrorOf(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => {
      throw new Error('the call was expected to fail');
    },
    // grpc-js rejects with nothing else.
    (error: unknown) => error as ServiceError,
  );
}
