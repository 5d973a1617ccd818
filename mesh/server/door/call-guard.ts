import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';

import type { Clock } from '#kit';

import { createCompressedRequests } from './compressed-requests.ts';
import type { Connections } from './connections.ts';
import { foreignCall, refuseForeignCall } from './foreign-calls.ts';
import { createHalfOpenRequests } from './half-open-requests.ts';
import { listenToHttp2Calls } from './http2-calls.ts';
import type { DoorLimits } from './limits.ts';
import { metadataBytes, refuseMetadata } from './metadata-size.ts';
import type { Notices } from './notices.ts';

/** Codes that the door itself ends calls with. */
const OUR_RESETS: ReadonlySet<number | undefined> = new Set([constants.NGHTTP2_ENHANCE_YOUR_CALM, constants.NGHTTP2_REFUSED_STREAM]);

/** What the door does for each call before grpc-js sees it. */
export interface CallGuard {
  /** Cancels requests that do not come to an end. */
  sweep(): void;
  stop(): void;
}

export interface CallGuardOptions {
  readonly limits: DoorLimits;
  readonly connections: Connections;
  /** Whether requests to a path are one message. */
  readonly takesOneMessage: (path: string) => boolean;
  readonly notices: Notices;
  readonly clock: Clock;
}

/** Watches the calls on the door's connections: metadata, compression, requests that do not end, calls that are cancelled. */
export function guardCalls({ limits, connections, takesOneMessage, notices, clock }: CallGuardOptions): CallGuard {
  const halfOpen = createHalfOpenRequests(limits, takesOneMessage, clock, () => notices.note('half-open'));
  const compressed = createCompressedRequests(limits.maxCompressed);

  function onCreated(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const connection = stream.session && connections.find(stream.session);
    if (!connection) return;
    const bytes = metadataBytes(headers);
    if (bytes > limits.maxMetadataBytes) {
      notices.note('metadata-too-large', connection.peer);
      return refuseMetadata(stream, bytes, limits.maxMetadataBytes);
    }
    const foreign = foreignCall(headers);
    if (foreign) return refuseForeignCall(stream, foreign);
    const encoding = headers['grpc-encoding'];
    if (encoding !== undefined && encoding !== 'identity' && !compressed.admit(stream)) {
      return notices.note('too-many-compressed', connection.peer);
    }
    halfOpen.add(stream, headers[':path']);
  }

  function onClosed(stream: ServerHttp2Stream): void {
    halfOpen.delete(stream);
    compressed.delete(stream);
    if (stream.aborted && !OUR_RESETS.has(stream.rstCode)) countReset(stream);
  }

  /** The connection is closed for new calls in good time, before Node breaks it off. */
  function countReset({ session }: ServerHttp2Stream): void {
    if (!session || session.closed || session.destroyed) return;
    const connection = connections.find(session);
    if (!connection || connection.resets.take()) return;
    notices.note('many-resets', connection.peer);
    session.close();
  }

  return { sweep: halfOpen.sweep, stop: listenToHttp2Calls({ onCreated, onClosed }) };
}
