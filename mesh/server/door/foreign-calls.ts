import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';

import { status } from '@grpc/grpc-js';

import { settleTimeout } from './timeout-header.ts';

/** Content types of gRPC with messages of protobuf (gRPC over HTTP/2, "Requests"); parameters may follow. */
const CONTENT_TYPE = /^application\/grpc(\+proto)?\s*(;|$)/i;
/** What grpc-js inflates. */
const COMPRESSIONS: ReadonlySet<string> = new Set(['gzip', 'deflate']);

/**
 * Why a call is none that is taken: grpc-js takes any verb, any codec, any text as a timeout, and any compression of
 * messages that are not marked as compressed.
 */
export interface ForeignCall {
  readonly code: status;
  readonly sentence: string;
  /** Where it was the compression: what is taken. */
  readonly accepted?: string;
}

/** What is foreign about a call, from its headers. Other content types than gRPC's are left to grpc-js, which answers them with HTTP's 415. */
export function foreignCall(headers: IncomingHttpHeaders, takesCompressed: boolean): ForeignCall | undefined {
  if (headers[':method'] !== constants.HTTP2_METHOD_POST) {
    return { code: status.INTERNAL, sentence: 'a gRPC call is a POST; send one' };
  }
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/grpc') && !CONTENT_TYPE.test(type)) {
    return { code: status.INTERNAL, sentence: 'messages are taken as application/grpc+proto alone; send those' };
  }
  if (!settleTimeout(headers)) {
    return { code: status.INTERNAL, sentence: 'grpc-timeout is at most eight digits and one of H M S m u n, such as 500m; send that' };
  }
  if (!isCompressed(headers) || (takesCompressed && COMPRESSIONS.has(String(headers['grpc-encoding'])))) return undefined;
  return takesCompressed
    ? { code: status.UNIMPLEMENTED, sentence: 'messages are taken uncompressed, or compressed by gzip or deflate; send those', accepted: ['identity', ...COMPRESSIONS].join(',') }
    : { code: status.UNIMPLEMENTED, sentence: 'messages are taken uncompressed alone; send those', accepted: 'identity' };
}

/** Whether messages of a call may be compressed. */
export function isCompressed({ 'grpc-encoding': encoding = 'identity' }: IncomingHttpHeaders): boolean {
  return encoding !== 'identity';
}

/** Answers before grpc-js sees the call, and closes it. */
export function refuseForeignCall(stream: ServerHttp2Stream, { code, sentence, accepted }: ForeignCall): void {
  stream.respond(
    {
      'content-type': 'application/grpc+proto',
      ...(accepted && { 'grpc-accept-encoding': accepted }),
      'grpc-status': code,
      'grpc-message': sentence,
    },
    { endStream: true },
  );
  stream.close();
}
