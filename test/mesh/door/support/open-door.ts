import type { Message } from '@bufbuild/protobuf';
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';

import { type Clock, MeshError, systemClock } from '#kit';
import { describeMethod, type Peer } from '#mesh';

import type { Invoke, ServerCall } from '../../../../mesh/call.ts';
import { channelOptions } from '../../../../mesh/client/channel-options.ts';
import { serverDeadline } from '../../../../mesh/server/deadline.ts';
import type { Door } from '../../../../mesh/server/door/door.ts';
import type { DoorLimits } from '../../../../mesh/server/door/limits.ts';
import { addChains, createGrpcServer, type GrpcServerOptions } from '../../../../mesh/server/grpc-server.ts';
import type { OpenCalls } from '../../../../mesh/server/open-calls.ts';
import { captureLog, type LogLine } from '../../../tracing/captured-log.ts';
import { contract, ECHO, payload, payloadBytes, WATCH } from './echo-contract.ts';

export { CHAT, ECHO, MESSAGE, WATCH } from './echo-contract.ts';

/** A door with our server behind it, whose calls a test can hold. */
export interface OpenDoor {
  readonly door: Door;
  readonly port: number;
  readonly open: OpenCalls;
  readonly log: readonly LogLine[];
  /** Requests that got to a handler. */
  served(): number;
  /** Who made each of them. */
  readonly peers: readonly Peer[];
  /** Calls of Echo wait from now on, until the returned function is called. */
  hold(): () => void;
  /** Calls of Echo are answered with so many bytes from now on. */
  answerWith(bytes: number): void;
  /** A caller with a connection of its own. Default: in plaintext. */
  caller(as?: ChannelCredentials): Caller;
  close(): Promise<void>;
}

export interface Caller {
  /** `OK`, or the code and sentence of the failure. */
  echo(options?: { readonly headers?: Record<string, string>; readonly bytes?: number; readonly signal?: AbortSignal }): Promise<string>;
  /** How the stream ended; `onMessage` hears of its only message. */
  watch(onMessage?: () => void): Promise<string>;
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** How it tells who calls. Default: plaintext from anybody. */
export type DoorSecurity = Pick<GrpcServerOptions, 'as' | 'tlsHooks'>;

export async function openDoor(limits: Partial<DoorLimits> = {}, clock: Clock = systemClock, security: DoorSecurity = {}): Promise<OpenDoor> {
  const { log, lines } = captureLog('warn');
  const grpc = createGrpcServer({ clock, log, limits, ...security });
  const clients: Client[] = [];
  const peers: Peer[] = [];
  let gate: Promise<void> | undefined;
  let served = 0;
  let answer = payload(10);

  const links: Readonly<Record<'echo' | 'watch' | 'chat', Invoke<ServerCall>>> = {
    async echo(call) {
      served += 1;
      peers.push(call.peer);
      if (call.request instanceof MeshError) throw call.request;
      await gate;
      call.seal?.(answer);
      return answer;
    },
    watch: async (call) => watched(call),
    chat: async (call) => echoed(call),
  };
  // Deadlines go by the system's clock, whatever the door's says. The contract has these methods and no others.
  const deadline = serverDeadline(systemClock);
  addChains(grpc, new Map(contract.methods.map((desc) => [describeMethod(desc), deadline(links[desc.localName as keyof typeof links])])));
  const { door, open } = grpc;
  const port = await door.listen('127.0.0.1', 0);

  return {
    door,
    port,
    open,
    log: lines,
    served: () => served,
    peers,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = undefined;
        resolve();
      };
    },
    answerWith: (bytes) => void (answer = payload(bytes)),
    caller(as = credentials.createInsecure()) {
      const client = new Client(`127.0.0.1:${port}`, as, {
        ...channelOptions,
        'grpc.use_local_subchannel_pool': 1,
        'grpc.enable_http_proxy': 0,
        // An address is no name that TLS may ask for.
        'grpc.ssl_target_name_override': 'door',
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

/** One message, then nothing until the call is over. */
async function* watched(call: ServerCall): AsyncGenerator<Message> {
  const message = payload(10);
  call.seal?.(message);
  yield message;
  await new Promise((_, reject) => call.lifetime.onEnd(reject));
}

async function* echoed(call: ServerCall): AsyncGenerator<Message> {
  // The method takes a stream.
  for await (const message of call.request as AsyncIterable<Message>) {
    call.seal?.(message);
    yield message;
  }
}

function callerOf(client: Client): Caller {
  return {
    echo: ({ headers = {}, bytes = 10, signal } = {}) =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
        const call = client.makeUnaryRequest(ECHO, asIs, asIs, Buffer.from(payloadBytes(bytes)), metadata, { deadline: Date.now() + 8_000 }, (error) => resolve(said(error)));
        signal?.addEventListener('abort', () => call.cancel(), { once: true });
      }),
    watch: (onMessage = () => {}) =>
      new Promise((resolve) => {
        const call = client.makeServerStreamRequest(WATCH, asIs, asIs, Buffer.from(payloadBytes(10)));
        call.on('data', onMessage);
        call.on('end', () => resolve('OK'));
        call.on('error', (error: ServiceError) => resolve(said(error)));
      }),
  };
}

function said(error: ServiceError | null): string {
  return error ? `${status[error.code]}: ${error.details}` : 'OK';
}
