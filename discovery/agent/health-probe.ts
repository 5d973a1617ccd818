import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';

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
  close(): void;
}

const METHOD = '/grpc.health.v1.Health/Check';
const SERVING = 1;

/**
 * A client of grpc.health.v1 (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).
 * The two messages have one field each and are written by hand: generated code
 * would be the only thing this folder takes from `proto`.
 *
 * @param target `host:port`, or `host:port/service`, as in Consul's gRPC check
 */
export function createHealthProbe(target: string): HealthProbe {
  const slash = target.indexOf('/');
  const hostAndPort = slash < 0 ? target : target.slice(0, slash);
  const service = slash < 0 ? '' : target.slice(slash + 1);
  const client = new Client(hostAndPort, credentials.createInsecure(), {
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
    'grpc.use_local_subchannel_pool': 1,
    // The default grows to two minutes, and an instance that is back must be seen by the next check or two.
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 1_000,
  });

  return {
    ask: (timeoutMs, signal) =>
      new Promise((resolve) => {
        const options = { deadline: Date.now() + timeoutMs };
        const call = client.makeUnaryRequest(METHOD, encodeRequest, decodeStatus, service, new Metadata(), options, (error, answer) => {
          signal.removeEventListener('abort', cancel);
          resolve(finding(target, error, answer));
        });
        const cancel = (): void => call.cancel();
        signal.addEventListener('abort', cancel, { once: true });
      }),
    close: () => client.close(),
  };
}

function finding(target: string, error: ServiceError | null, answer: number | undefined): Finding {
  if (error) return { serving: false, output: `gRPC check ${target}: ${status[error.code]} ${error.details}` };
  const serving = answer === SERVING;
  return { serving, output: `gRPC check ${target}: ${serving ? 'success' : 'the service says that it does not serve'}` };
}

/** `HealthCheckRequest`: field 1 is the name of the service. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  return Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
}

/** `HealthCheckResponse`: field 1 is the status, one byte; left out it is 0, unknown. */
function decodeStatus(response: Buffer): number {
  return response[0] === 0x08 ? (response[1] ?? 0) : 0;
}

/** A length as protobuf writes it; names are short, so two bytes do (up to 16,383). */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}
