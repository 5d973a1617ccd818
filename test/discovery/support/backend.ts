import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, Server, ServerCredentials, type ServiceError } from '@grpc/grpc-js';
import type { ChannelOptions } from '@grpc/grpc-js';
import { HealthCheckRequestSchema, HealthCheckResponse_ServingStatus as Status, HealthCheckResponseSchema } from '#proto/grpc/health/v1/health_pb.js';

const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
const unary = { requestStream: false, responseStream: false } as const;

function method(path: string) {
  const { serialize, deserialize } = bytes;
  return {
    ...{ path, ...unary },
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  };
}

/** One instance of a service: says its name, and how it is. */
export interface Backend {
  readonly port: number;
  calls(): number;
  /** Connections taken so far. */
  connections(): number;
  authorities(): readonly string[];
  /** What the last health check asked for. */
  healthAsked(): string | undefined;
  setServing(serving: boolean): void;
  stop(): Promise<void>;
}

export async function startBackend(name: string, port = 0): Promise<Backend> {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  const seen = { calls: 0, authorities: new Set<string>(), peers: new Set<string>(), health: undefined as string | undefined };
  let serving = true;
  server.addService(
    { name: method('/test.Echo/Name') },
    {
      name: (call: { getHost(): string; getPeer(): string }, answer: (error: null, value: Buffer) => void) => {
        seen.calls += 1;
        seen.authorities.add(call.getHost());
        seen.peers.add(call.getPeer());
        answer(null, Buffer.from(name));
      },
    },
  );
  server.addService(
    { check: method('/grpc.health.v1.Health/Check') },
    {
      check: (call: { request: Buffer }, answer: (error: null, value: Buffer) => void) => {
        seen.health = fromBinary(HealthCheckRequestSchema, call.request).service;
        const status = serving ? Status.SERVING : Status.NOT_SERVING;
        answer(null, Buffer.from(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status }))));
      },
    },
  );
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, taken) =>
      error ? reject(error) : resolve(taken),
    );
  });
  return {
    port: bound,
    calls: () => seen.calls,
    connections: () => seen.peers.size,
    authorities: () => [...seen.authorities],
    healthAsked: () => seen.health,
    setServing: (now) => {
      serving = now;
    },
    stop: async () => {
      const ended = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      server.forceShutdown();
      await ended;
    },
  };
}

export interface Caller {
  /** The name that answered. */
  call(deadlineMs?: number): Promise<string>;
  close(): void;
}

/** A client of the service behind the target. */
export function createCaller(target: string, options: ChannelOptions): Caller {
  const client = new Client(target, credentials.createInsecure(), options);
  const { serialize, deserialize } = bytes;
  return {
    call: (deadlineMs = 5_000) =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + deadlineMs;
        const done = (error: ServiceError | null, value?: Buffer): void => (error ? reject(error) : resolve(`${value}`));
        client.makeUnaryRequest('/test.Echo/Name', serialize, deserialize, Buffer.alloc(0), new Metadata(), { deadline }, done);
      }),
    close: () => client.close(),
  };
}

/** The names that answer `count` calls, each once. */
export async function namesOf(caller: Caller, count = 8): Promise<readonly string[]> {
  const names = new Set<string>();
  for (let calls = 0; calls < count; calls += 1) names.add(await caller.call());
  return [...names].sort();
}
