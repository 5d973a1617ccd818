import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';

import { status } from '@grpc/grpc-js';

/** Content types of gRPC with messages of protobuf (gRPC over HTTP/2, "Requests"); parameters may follow. */
const CONTENT_TYPE = /^application\/grpc(\+proto)?\s*(;|$)/i;
/** What requests may be compressed by: what grpc-js inflates. */
const ENCODINGS: ReadonlySet<string> = new Set(['identity', 'gzip', 'deflate']);

/** Why a call is none of gRPC: grpc-js takes any verb, any codec, and any compression of messages that are not marked as compressed. */
export interface ForeignCall {
  readonly code: status;
  readonly sentence: string;
}

/** What is foreign about a call, from its headers. Other content types than gRPC's are left to grpc-js, which answers them with HTTP's 415. */
export function foreignCall(headers: IncomingHttpHeaders): ForeignCall | undefined {
  if (headers[':method'] !== constants.HTTP2_METHOD_POST) {
    return { code: status.INTERNAL, sentence: 'a gRPC call is a POST; send one' };
  }
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/grpc') && !CONTENT_TYPE.test(type)) {
    return { code: status.INTERNAL, sentence: 'messages are taken as application/grpc+proto alone; send those' };
  }
  const encoding = headers['grpc-encoding'];
  if (encoding === undefined || ENCODINGS.has(String(encoding))) return undefined;
  return { code: status.UNIMPLEMENTED, sentence: 'messages are taken uncompressed, or compressed by gzip or deflate; send those' };
}

/** Answers before grpc-js sees the call, and closes it. */
export function refuseForeignCall(stream: ServerHttp2Stream, { code, sentence }: ForeignCall): void {
  stream.respond(
    {
      'content-type': 'application/grpc+proto',
      'grpc-accept-encoding': [...ENCODINGS].join(','),
      'grpc-status': code,
      'grpc-message': sentence,
    },
    { endStream: true },
  );
  stream.close();
}
