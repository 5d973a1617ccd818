import { Server } from '@grpc/grpc-js';

import type { Clock, Log } from '#kit';

import type { Invoke, ServerCall } from '../call.ts';
import { MAX_MESSAGE_BYTES } from '../messages.ts';
import type { Method } from '../method.ts';
import { createDoor, type Door } from './door/door.ts';
import { DOOR_LIMITS, type DoorLimits, serverOptionsOf } from './door/limits.ts';
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
  readonly log: Log;
  /** What differs from the defaults. */
  readonly limits?: Partial<DoorLimits>;
}

/** A grpc-js server with this process's limits. */
export function createGrpcServer({ clock, log, limits: changed }: GrpcServerOptions): GrpcServer {
  const limits = { ...DOOR_LIMITS, ...changed };
  const open = new OpenCalls();
  const methods = createWireMethods({ open, clock });
  const server = new Server({
    ...serverOptionsOf(limits),
    interceptors: methods.interceptors,
    // Its counting costs each call, and nobody reads it.
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': limits.maxBufferedBytes,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
  const oneMessagePaths = new Set<string>();
  const door = createDoor({ server, open, takesOneMessage: (path) => oneMessagePaths.has(path), onStream: methods.handOver, limits, clock, log });
  return { server, open, methods, door, oneMessagePaths };
}

/** Puts methods on the server, each with its chain. */
export function addChains({ server, methods, oneMessagePaths }: GrpcServer, chains: ReadonlyMap<Method, Invoke<ServerCall>>): void {
  methods.add(server, chains);
  for (const { path, requestStreams } of chains.keys()) {
    if (!requestStreams) oneMessagePaths.add(path);
  }
}
