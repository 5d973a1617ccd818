const KB = 1024;
const MB = 1024 * KB;
const MINUTE_MS = 60_000;

/**
 * What a server takes from its peers. Every limit is on by default and far above what a peer in its right mind needs;
 * `Infinity` switches one off. Times are looked at twice a second: what is over is noticed up to 0.5 s late.
 */
export interface DoorLimits {
  /** Connections in all. 10,000 idle ones are about 340 MB. */
  readonly maxConnections: number;
  /** Connections from one address. A peer of this mesh has one to each instance; a node full of them, or a NAT, has hundreds. */
  readonly maxConnectionsPerPeer: number;
  /** How long a connection may take to send the HTTP/2 preface and its SETTINGS (RFC 9113, 3.4). */
  readonly handshakeMs: number;
  /** What a connection may send before its first call: 64 KB are 3,800 pings. No peer has more to say than its SETTINGS. */
  readonly maxBytesBeforeCall: number;
  /** How long a connection may be without a call; then it is closed with GOAWAY and its peer connects anew when it needs to. */
  readonly maxIdleMs: number;
  /** How old a connection gets, ±10 %: callers come back by way of the registry, and spread over new instances (gRFC A9). */
  readonly maxAgeMs: number;
  /** How long calls on a connection that is too old may take to end. */
  readonly maxAgeGraceMs: number;
  /** How often a peer that says nothing is asked whether it is there (gRFC A8). */
  readonly keepaliveMs: number;
  /** How long it may take to answer: a peer that lost its power is gone after 30 + 20 s, with the streams it was reading. */
  readonly keepaliveTimeoutMs: number;
  /**
   * Calls at once on one connection. As many as a caller of this mesh has under way at most, so that its own cap says
   * so: beyond this limit, calls wait in their caller's HTTP/2 queue without a word.
   */
  readonly maxStreams: number;
  /**
   * All headers of a call, counted as RFC 9113, 6.5.2 has it: names, values, and 32 bytes for each. Node itself resets calls
   * with more than about 120 headers, and ends a connection whose peer sends one of more than 64 KB. It has parsed them by
   * then, and V8 lets go of them only when there are 64 MB: so much hostile callers cost, whatever the limit here.
   */
  readonly maxMetadataBytes: number;
  /**
   * What grpc-js reads of one message, or inflates one to, before it refuses it in its own words: twice the 4 MB that are
   * taken, so that what is not far over the limit gets a sentence from us.
   */
  readonly maxBufferedBytes: number;
  /** How long a request may take from its headers to its end; one that is a stream, to its first message. 4 MB at 3.4 Mbit/s take 10 s. */
  readonly requestMs: number;
  /**
   * Requests in all that have begun and not ended; a normal one is in this state for a millisecond. Beyond, the oldest of
   * the connections that have most of them are cancelled: with 4,999 from one and 1 from another it is never that 1.
   */
  readonly maxHalfOpen: number;
  /**
   * Compressed requests at once, from their headers to the end of their answers. 0: none is taken, and its caller is told
   * with UNIMPLEMENTED to send it uncompressed (gRPC's compression.md). grpc-js inflates whatever a connection sends side by
   * side, 1 byte to 1,032: what is taken here costs up to 25 MB each, a frame of 16 KB that inflates to 17 MB on top of a
   * message of 8 MB. For callers that must compress take 2 to 4; one more is refused unserved, which callers try again.
   */
  readonly maxCompressed: number;
  /**
   * Answers that a connection does not read, in bytes: its streams' windows keep them here. More at two looks in a row,
   * so for 0.5 to 1 s, breaks the connection off. 16 MB are 4 of the largest answers, and 0.13 s of a link of 1 Gbit/s.
   */
  readonly maxUnsentBytes: number;
  /** The same of all connections together. Beyond, those that have most are broken off at once. */
  readonly maxUnsentTotalBytes: number;
  /** How long an answer that is complete may take to be read; then it is reset. 4 MB at 1.1 Mbit/s take 30 s. */
  readonly unreadMs: number;
  /** Pings in a row, nothing else between them, and how many more each second: a keepalive is one in 10 s and more. */
  readonly pings: { readonly burst: number; readonly perSecond: number };
  /**
   * Calls that their caller cancels, on one connection. Node breaks a connection off at 1,000 and 33 more each second, and
   * every call on it fails (nghttp2's guard against CVE-2023-44487, which grpc-js leaves no way to set). Closing it in
   * good time, at 600, lets calls in flight finish while new ones go over a new connection. More than 1,000 calls that
   * are cancelled in one go still break theirs.
   */
  readonly resets: { readonly burst: number; readonly perSecond: number };
  /**
   * Flow-control window of a connection. HTTP/2 begins with 64 KB, which 16 messages of 4 KB fill: the seventeenth waits
   * for an update of the window. Windows of single calls stay at 64 KB.
   */
  readonly windowBytes: number;
}

export const DOOR_LIMITS: DoorLimits = {
  maxConnections: 10_000,
  maxConnectionsPerPeer: 2_000,
  handshakeMs: 5_000,
  maxBytesBeforeCall: 64 * KB,
  maxIdleMs: 30 * MINUTE_MS,
  maxAgeMs: 30 * MINUTE_MS,
  maxAgeGraceMs: 5 * MINUTE_MS,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 20_000,
  maxStreams: 10_000,
  maxMetadataBytes: 16 * KB,
  maxBufferedBytes: 8 * MB,
  requestMs: 10_000,
  maxHalfOpen: 1_000,
  maxCompressed: 0,
  maxUnsentBytes: 16 * MB,
  maxUnsentTotalBytes: 128 * MB,
  unreadMs: 30_000,
  pings: { burst: 100, perSecond: 10 },
  resets: { burst: 600, perSecond: 30 },
  windowBytes: 4 * MB,
};

/** The limits that grpc-js keeps by itself, as options of its server. */
export function serverOptionsOf(limits: DoorLimits): Record<string, number> {
  const options = {
    'grpc.max_concurrent_streams': limits.maxStreams,
    'grpc.max_connection_idle_ms': limits.maxIdleMs,
    'grpc.max_connection_age_ms': limits.maxAgeMs,
    'grpc.max_connection_age_grace_ms': limits.maxAgeGraceMs,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
  };
  // grpc-js has numbers of its own for "never"; left out is the same.
  return Object.fromEntries(Object.entries(options).filter(([, value]) => Number.isFinite(value)));
}
