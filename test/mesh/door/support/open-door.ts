import {
  Client,
  credentials,
  Metadata,
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  type ServiceError,
  status,
} from '@grpc/grpc-js';

import { type Clock, systemClock } from '#kit';
import { describeMethod, toStatus } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { channelOptions } from '../../../../mesh/client/channel-options.ts';
import { Lifetime } from '../../../../mesh/lifetime.ts';
import { createDoor, type Door } from '../../../../mesh/server/door/door.ts';
import { DOOR_LIMITS, type DoorLimits, serverOptionsOf } from '../../../../mesh/server/door/limits.ts';
import { OpenCalls } from '../../../../mesh/server/open-calls.ts';
import { captureLog, type LogLine } from '../../../tracing/captured-log.ts';

export const ECHO = '/test.Door/Echo';
export const WATCH = '/test.Door/Watch';
export const CHAT = '/test.Door/Chat';

/** A door with a plain grpc-js server behind it, whose calls a test can hold. */
export interface OpenDoor {
  readonly door: Door;
  readonly port: number;
  readonly open: OpenCalls;
  readonly log: readonly LogLine[];
  /** Requests that got to a handler. */
  served(): number;
  /** Calls of Echo wait from now on, until the returned function is called. */
  hold(): () => void;
  /** A caller with a connection of its own. */
  caller(): Caller;
  close(): Promise<void>;
}

export interface Caller {
  /** `OK`, or the code and sentence of the failure. */
  echo(options?: { readonly headers?: Record<string, string>; readonly bytes?: number; readonly signal?: AbortSignal }): Promise<string>;
  /** How the stream ended; `onMessage` hears of its only message. */
  watch(onMessage?: () => void): Promise<string>;
}

const UNARY = describeMethod(OrderService.method.getOrder);
const STREAM = describeMethod(OrderService.method.watchOrder);
const asIs = (bytes: Buffer): Buffer => bytes;

export async function openDoor(changed: Partial<DoorLimits> = {}, clock: Clock = systemClock): Promise<OpenDoor> {
  const limits = { ...DOOR_LIMITS, ...changed };
  const { log, lines } = captureLog('warn');
  const server = new Server({ ...serverOptionsOf(limits), 'grpc.max_receive_message_length': 8 * 1024 * 1024 });
  const open = new OpenCalls();
  const clients: Client[] = [];
  let gate: Promise<void> | undefined;
  let served = 0;

  const echo: handleUnaryCall<Buffer, Buffer> = (call, answer) => {
    served += 1;
    const lifetime = new Lifetime();
    open.add(lifetime, UNARY);
    lifetime.onEnd((reason) => answer(toStatus(reason)));
    call.on('cancelled', () => open.delete(lifetime));
    void (gate ?? Promise.resolve()).then(() => {
      open.delete(lifetime);
      if (!lifetime.reason) answer(null, call.request);
    });
  };
  const watch: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    const lifetime = new Lifetime();
    open.add(lifetime, STREAM);
    lifetime.onEnd((reason) => {
      open.delete(lifetime);
      call.emit('error', toStatus(reason));
    });
    call.write(call.request);
  };
  const chat: handleBidiStreamingCall<Buffer, Buffer> = (call) => void call.on('data', (bytes) => call.write(bytes)).on('end', () => call.end());
  const bytes = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };
  server.addService(
    {
      Echo: { path: ECHO, requestStream: false, responseStream: false, ...bytes },
      Watch: { path: WATCH, requestStream: false, responseStream: true, ...bytes },
      Chat: { path: CHAT, requestStream: true, responseStream: true, ...bytes },
    },
    { Echo: echo, Watch: watch, Chat: chat },
  );
  const door = createDoor({ server, open, takesOneMessage: (path) => path !== CHAT, limits, clock, log });
  const port = await door.listen('127.0.0.1', 0);

  return {
    door,
    port,
    open,
    log: lines,
    served: () => served,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = undefined;
        resolve();
      };
    },
    caller() {
      const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
        ...channelOptions,
        'grpc.use_local_subchannel_pool': 1,
        'grpc.enable_http_proxy': 0,
      });
      clients.push(client);
      return callerOf(client);
    },
    async close() {
      door.hurry();
      for (const client of clients) client.close();
      await door.close(0);
    },
  };
}

function callerOf(client: Client): Caller {
  return {
    echo: ({ headers = {}, bytes = 10, signal } = {}) =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
        const call = client.makeUnaryRequest(ECHO, asIs, asIs, Buffer.alloc(bytes), metadata, { deadline: Date.now() + 8_000 }, (error) => resolve(said(error)));
        signal?.addEventListener('abort', () => call.cancel(), { once: true });
      }),
    watch: (onMessage = () => {}) =>
      new Promise((resolve) => {
        const call = client.makeServerStreamRequest(WATCH, asIs, asIs, Buffer.alloc(10));
        call.on('data', onMessage);
        call.on('end', () => resolve('OK'));
        call.on('error', (error: ServiceError) => resolve(said(error)));
      }),
  };
}

function said(error: ServiceError | null): string {
  return error ? `${status[error.code]}: ${error.details}` : 'OK';
}
