import { Server } from '@grpc/grpc-js';

import type { Clock, Log, Random } from '#kit';

import type { Invoke, ServerCall } from '../call.ts';
import { MAX_MESSAGE_BYTES } from '../messages.ts';
import type { Method } from '../method.ts';
import { createDoor, type Door } from './door/door.ts';
import { DOOR_LIMITS, type DoorLimits, serverOptionsOf } from './door/limits.ts';
import type { ListenAs } from './door/listen-as.ts';
import type { TlsHooks } from './door/tls-entrance.ts';
import { OpenCalls } from './open-calls.ts';
import { createWireMethods, type WireMethods } from './wire-methods.ts';

/** A grpc-js server, the calls it is serving, and the door they come in by. */
export interface GrpcServer {
  readonly server: Server;
  readonly open: OpenCalls;
  readonly methods: WireMethods;
  readonly door: Door;
  /** Paths whose requests are one message. */
  readonly oneMessagePaths: Set<string>;
}

export interface GrpcServerOptions {
  readonly clock: Clock;
  /** Default: the system's. */
  readonly random?: Random;
  readonly log: Log;
  /** What differs from the defaults. */
  readonly limits?: Partial<DoorLimits>;
  /** Default: plaintext from anybody. */
  readonly as?: ListenAs;
  readonly tlsHooks?: TlsHooks;
}

/** A grpc-js server with this process's limits. */
export function createGrpcServer({ limits: changed, ...options }: GrpcServerOptions): GrpcServer {
  const limits = { ...DOOR_LIMITS, ...changed };
  const open = new OpenCalls();
  const methods = createWireMethods({ open, clock: options.clock });
  const server = new Server({
    ...serverOptionsOf(limits),
    interceptors: methods.interceptors,
    // Its counting costs each call, and nobody reads it.
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': limits.maxBufferedBytes,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
  const oneMessagePaths = new Set<string>();
  const door = createDoor({ ...options, server, open, takesOneMessage: (path) => oneMessagePaths.has(path), onStream: methods.handOver, limits });
  return { server, open, methods, door, oneMessagePaths };
}

/** Puts methods on the server, each with its chain. */
export function addChains({ server, methods, oneMessagePaths }: GrpcServer, chains: ReadonlyMap<Method, Invoke<ServerCall>>): void {
  methods.add(server, chains);
  for (const { path, requestStreams } of chains.keys()) {
    if (!requestStreams) oneMessagePaths.add(path);
  }
}
