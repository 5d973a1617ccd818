import { type ClientHttp2Session, type ClientHttp2Stream, connect, type SecureClientSessionOptions } from 'node:http2';

/** What one question brought. */
export interface Finding {
  readonly serving: boolean;
  /** One line for people. */
  readonly output: string;
}

/** Asks one instance for its health, over one connection. */
export interface HealthProbe {
  /** Never rejects; ends early, as not serving, when the signal aborts. */
  ask(timeoutMs: number, signal: AbortSignal): Promise<Finding>;
  /** Closes the connection, also one that is still being made. */
  close(): void;
}

/** What is asked is no secret, and who answers is for callers to verify. */
const UNVERIFIED: SecureClientSessionOptions = { rejectUnauthorized: false };

const SERVING = 1;
/** Longer answers are none of ours. */
const MAX_ANSWER_BYTES = 1_024;

/**
 * A client of grpc.health.v1 (https://github.com/grpc/grpc/blob/master/doc/health-checking.md)
 * on Node's HTTP/2. Not on grpc-js: that waits for ever for the first frame of a
 * peer that accepts and is then silent, a stalled process for one, and cannot be
 * made to close such a connection. The two messages have one field each and are
 * written by hand, as this folder may not use what is generated from `proto`.
 *
 * @param target `host:port`, or `host:port/service`, as in Consul's gRPC check
 * @param tls over TLS: shows no certificate, and takes whatever one it is shown, as Consul's check with TLSSkipVerify
 */
export function createHealthProbe(target: string, tls = false): HealthProbe {
  const slash = target.indexOf('/');
  const authority = slash < 0 ? target : target.slice(0, slash);
  const request = encodeRequest(slash < 0 ? '' : target.slice(slash + 1));
  let session: ClientHttp2Session | undefined;

  function connected(): ClientHttp2Session {
    if (session && !session.closed && !session.destroyed) return session;
    session = tls ? connect(`https://${authority}`, UNVERIFIED) : connect(`http://${authority}`);
    // The question under way hears of it through its stream.
    session.on('error', () => undefined);
    return session;
  }

  function close(): void {
    session?.destroy();
    session = undefined;
  }

  return {
    ask: async (timeoutMs, signal) => {
      const stream = open(connected);
      const { answered, serving, says } = stream ? await question(stream, request, timeoutMs, signal) : CLOSING;
      // A connection that failed once is not asked again: the next question gets a new one.
      if (!answered) close();
      return { serving, output: `gRPC check ${target}: ${says}` };
    },
    close,
  };
}

interface Outcome {
  readonly answered: boolean;
  readonly serving: boolean;
  readonly says: string;
}

/** The peer has said goodbye and the session has not noticed yet. */
const CLOSING: Outcome = { answered: false, serving: false, says: 'the connection is closing' };

function open(connected: () => ClientHttp2Session): ClientHttp2Stream | undefined {
  try {
    return connected().request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
  } catch {
    return undefined;
  }
}

async function question(stream: ClientHttp2Stream, request: Buffer, timeoutMs: number, signal: AbortSignal): Promise<Outcome> {
  const cancel = (): void => void stream.destroy(new Error('cancelled'));
  const timer = setTimeout(() => stream.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await outcomeOf(stream, request);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

function outcomeOf(stream: ClientHttp2Stream, request: Buffer): Promise<Outcome> {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    let grpcStatus: unknown;
    const note = (headers: Readonly<Record<string, unknown>>): void => {
      grpcStatus = headers['grpc-status'] ?? grpcStatus;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (chunk: Buffer) => {
      if (answer.length < MAX_ANSWER_BYTES) answer = Buffer.concat([answer, chunk]);
    });
    stream.once('error', ({ message }) => resolve({ answered: false, serving: false, says: message }));
    stream.once('close', () => resolve(readOutcome(grpcStatus, answer)));
    stream.end(request);
  });
}

function readOutcome(grpcStatus: unknown, answer: Buffer): Outcome {
  if (grpcStatus === undefined) return { answered: false, serving: false, says: 'the connection closed before an answer' };
  if (grpcStatus !== '0') return { answered: true, serving: false, says: `the call failed with gRPC status ${String(grpcStatus)}` };
  const serving = decodeStatus(answer) === SERVING;
  return { answered: true, serving, says: serving ? 'success' : 'the service says that it does not serve' };
}

/** `HealthCheckRequest`, field 1 the name of the service, in a gRPC frame: a flag and four bytes of length. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** `HealthCheckResponse` in its frame: field 1 is the status, one byte; left out it is 0, unknown. */
function decodeStatus(frame: Buffer): number {
  return frame[5] === 0x08 ? (frame[6] ?? 0) : 0;
}

/** A length as protobuf writes it; names are short, so two bytes do (up to 16,383). */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}
