import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';

import type { Clock } from '#kit';

import { createCompressedRequests } from './compressed-requests.ts';
import type { Connection, Connections } from './connections.ts';
import { type ForeignCall, foreignCall, isCompressed, refuseForeignCall } from './foreign-calls.ts';
import { createHalfOpenRequests } from './half-open-requests.ts';
import { type EndCall, listenToHttp2Calls } from './http2-calls.ts';
import type { DoorLimits } from './limits.ts';
import { metadataBytes, refuseMetadata } from './metadata-size.ts';
import type { Notices } from './notices.ts';
import { createUnreadAnswers } from './unread-answers.ts';

/** What the door does for each call before grpc-js sees it. */
export interface CallGuard {
  /** Ends requests that do not come to an end, and answers that nobody reads. */
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

/** Watches the calls on the door's connections: metadata, compression, requests that do not end, answers that nobody reads, calls that are cancelled. */
export function guardCalls({ limits, connections, takesOneMessage, notices, clock }: CallGuardOptions): CallGuard {
  const ours = new WeakSet<ServerHttp2Stream>();
  const end: EndCall = (stream, code) => {
    ours.add(stream);
    stream.close(code);
  };
  const halfOpen = createHalfOpenRequests({ limits, ends: takesOneMessage, end, clock, onCancel: () => notices.note('half-open') });
  const compressed = createCompressedRequests(limits.maxCompressed, end);
  const unread = createUnreadAnswers({
    ...{ limits, connections: connections.all, end, clock },
    onCancel: (peer) => notices.note('unread-answers', peer),
    onBreak: (peer) => notices.note('too-much-unread', peer),
  });

  function onCreated(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const connection = stream.session && connections.find(stream.session);
    if (!connection) return;
    connection.calls.add(stream);
    if (connection.refused) return turnAway(connection, connection.refused, stream);
    const bytes = metadataBytes(headers);
    if (bytes > limits.maxMetadataBytes) {
      notices.note('metadata-too-large', connection.address);
      return refuseMetadata(stream, bytes, limits.maxMetadataBytes);
    }
    const foreign = foreignCall(headers, limits.maxCompressed > 0);
    if (foreign) return refuseForeignCall(stream, foreign);
    if (isCompressed(headers) && !compressed.admit(stream)) return notices.note('too-many-compressed', connection.address);
    halfOpen.add(stream, headers[':path']);
  }

  /** On a connection that is of no use to its peer. */
  function turnAway({ session }: Connection, why: ForeignCall, stream: ServerHttp2Stream): void {
    refuseForeignCall(stream, why);
    session?.close();
  }

  function onClosed(stream: ServerHttp2Stream): void {
    halfOpen.delete(stream);
    compressed.delete(stream);
    const connection = stream.session && connections.find(stream.session);
    if (!connection) return;
    connection.calls.delete(stream);
    // Also one whose answer was complete and not read: Node counts them all.
    const isReset = stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR;
    if (isReset && !ours.has(stream)) countReset(connection);
  }

  /** The connection is closed for new calls in good time, before Node breaks it off. */
  function countReset({ session, resets, address }: Connection): void {
    if (!session || session.closed || session.destroyed || resets.take()) return;
    notices.note('many-resets', address);
    session.close();
  }

  function sweep(): void {
    halfOpen.sweep();
    unread.sweep();
  }

  return { sweep, stop: listenToHttp2Calls({ onCreated, onClosed }) };
}
