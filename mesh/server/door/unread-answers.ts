import { constants, type ServerHttp2Stream } from 'node:http2';

import type { Clock } from '#kit';

import type { EndCall } from './http2-calls.ts';
import type { Connection } from './connections.ts';
import type { DoorLimits } from './limits.ts';

/** Answers that stand here because their readers' windows are shut. */
export interface UnreadAnswers {
  /** Ends what is over the limits. */
  sweep(): void;
}

export interface UnreadAnswersOptions {
  readonly limits: Pick<DoorLimits, 'maxUnsentBytes' | 'maxUnsentTotalBytes' | 'unreadMs'>;
  readonly connections: () => Iterable<Connection>;
  readonly end: EndCall;
  readonly clock: Clock;
  readonly onCancel: (address: string) => void;
  readonly onBreak: (address: string) => void;
}

/**
 * A peer that opens no window has grpc-js keep every answer that it asks for, for as long as it likes. What a look finds
 * is bounded, so a peer can have what is answered in half a second beyond the limits.
 */
export function createUnreadAnswers({ limits, connections, end, clock, onCancel, onBreak }: UnreadAnswersOptions): UnreadAnswers {
  /** Since when an answer is complete and unread, as seen here. */
  const since = new WeakMap<ServerHttp2Stream, number>();
  /** Connections that were over the limit at the last look. */
  let over = new Set<Connection>();

  /** Bytes that the connection has not read, after what has waited too long is gone. */
  function unsentBytes({ calls, address }: Connection, now: number): number {
    let bytes = 0;
    for (const stream of calls) {
      if (stream.writableLength === 0) continue;
      if (!isOverdue(stream, now)) bytes += stream.writableLength;
      else {
        end(stream, constants.NGHTTP2_ENHANCE_YOUR_CALM);
        onCancel(address);
      }
    }
    return bytes;
  }

  function isOverdue(stream: ServerHttp2Stream, now: number): boolean {
    if (!stream.writableEnded) return false;
    const began = since.get(stream);
    if (began === undefined) since.set(stream, now);
    return began !== undefined && now - began >= limits.unreadMs;
  }

  function breakOff({ session, address }: Connection): void {
    session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    session?.destroy();
    onBreak(address);
  }

  return {
    sweep() {
      const now = clock.now();
      const unread = [...connections()].map((connection) => ({ connection, bytes: unsentBytes(connection, now) })).filter(({ bytes }) => bytes > 0);
      unread.sort((one, other) => other.bytes - one.bytes);
      let left = unread.reduce((sum, { bytes }) => sum + bytes, 0);
      const nowOver = new Set<Connection>();
      for (const { connection, bytes } of unread) {
        const tooMuch = bytes > limits.maxUnsentBytes;
        if (left > limits.maxUnsentTotalBytes || (tooMuch && over.has(connection))) {
          left -= bytes;
          breakOff(connection);
        } else if (tooMuch) nowOver.add(connection);
      }
      over = nowOver;
    },
  };
}
