import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type ChannelOptions, Client, credentials, Metadata, Server, ServerCredentials, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import { silentLog, systemClock, systemRandom } from '#kit';
import { HealthCheckRequestSchema, HealthCheckResponse_ServingStatus as Status, HealthCheckResponseSchema } from '#proto/grpc/health/v1/health_pb.js';

import { balancingOptions } from '../../../mesh/client/balancing/balancing-options.ts';
import { createDestination } from '../../../mesh/client/balancing/destination.ts';
import { DESTINATION_DEFAULTS } from '../../../mesh/policy/defaults.ts';

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

/** `silence`: they get no answer. */
export type Fate = 'answer' | 'fail' | 'silence';

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
  /** What becomes of calls from now on; at first they are answered. */
  setFate(fate: Fate): void;
  stop(): Promise<void>;
}

export async function startBackend(name: string, port = 0, door = ServerCredentials.createInsecure()): Promise<Backend> {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  const seen = { calls: 0, authorities: new Set<string>(), peers: new Set<string>(), health: undefined as string | undefined };
  let serving = true;
  let fate: Fate = 'answer';
  server.addService(
    { name: method('/test.Echo/Name') },
    {
      name: (call: { getHost(): string; getPeer(): string }, answer: (error: Partial<StatusObject> | null, value?: Buffer) => void) => {
        seen.calls += 1;
        seen.authorities.add(call.getHost());
        seen.peers.add(call.getPeer());
        if (fate === 'fail') answer({ code: status.UNAVAILABLE, details: 'told to fail' });
        else if (fate === 'answer') answer(null, Buffer.from(name));
      },
    },
  );
  server.addService(
    { check: method('/grpc.health.v1.Health/Check') },
    {
      check: (call: { request: Buffer }, answer: (error: null, value: Buffer) => void) => {
        seen.health = fromBinary(HealthCheckRequestSchema, call.request).service;
        const health = create(HealthCheckResponseSchema, { status: serving ? Status.SERVING : Status.NOT_SERVING });
        answer(null, Buffer.from(toBinary(HealthCheckResponseSchema, health)));
      },
    },
  );
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, door, (error, taken) =>
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
    setFate: (now) => {
      fate = now;
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
  call(deadlineMs?: number, signal?: AbortSignal): Promise<string>;
  close(): void;
}

/** What the mesh balances a service's calls by. */
export function balanced(service: string): ChannelOptions {
  const policy = { current: DESTINATION_DEFAULTS };
  return balancingOptions(createDestination(service, { policy, clock: systemClock, random: systemRandom, zone: '', log: silentLog }));
}

/** A client of the service behind the target, balanced as the mesh does it unless the options say otherwise. */
export function createCaller(target: string, options: ChannelOptions): Caller {
  const service = new URL(target).pathname.slice(1);
  const client = new Client(target, credentials.createInsecure(), { ...balanced(service), ...options });
  const { serialize, deserialize } = bytes;
  return {
    call: (deadlineMs = 5_000, signal) =>
      new Promise((resolve, reject) => {
        const deadline = Date.now() + deadlineMs;
        const done = (error: ServiceError | null, value?: Buffer): void => (error ? reject(error) : resolve(`${value}`));
        const call = client.makeUnaryRequest('/test.Echo/Name', serialize, deserialize, Buffer.alloc(0), new Metadata(), { deadline }, done);
        signal?.addEventListener('abort', () => {
          call.cancel();
          // grpc-js sends a call that is cancelled in the very turn in which it was made, and hears of it only now.
          setImmediate(() => call.cancel());
        });
      }),
    close: () => client.close(),
  };
}

/** The names that answer `count` calls, each once. All calls are made at once: one after the other they would all go where somebody else's call is not. */
export async function namesOf(caller: Caller, count = 8): Promise<readonly string[]> {
  const names = await Promise.all(Array.from({ length: count }, () => caller.call()));
  return [...new Set(names)].sort();
}
