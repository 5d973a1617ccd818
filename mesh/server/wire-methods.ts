import type { ServerHttp2Stream } from 'node:http2';

import {
  type MethodDefinition,
  type Server,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

import type { Invoke, ServerCall } from '../call.ts';
import type { Peer } from '../identity/peer.ts';
import { type Decoded, decodeRequest } from '../messages.ts';
import type { Method } from '../method.ts';
import { WireCall, type WireHost } from './wire-call.ts';

/** The methods of a grpc-js server that are served by our chains, and how it comes to hand their calls over. */
export interface WireMethods {
  /** For the server's option of the same name. */
  readonly interceptors: ServerInterceptor[];
  /** Is to be told of each stream just before grpc-js is, which shows calls and not what they came on, nor from whom. */
  readonly handOver: (stream: ServerHttp2Stream, peer: Peer) => void;
  /** Puts methods on the server, each with its chain. */
  add(server: Server, chains: ReadonlyMap<Method, Invoke<ServerCall>>): void;
}

/**
 * Serves calls straight on what grpc-js hands its interceptors, as the client makes them straight on its channel:
 * the stream objects that grpc-js would make for handlers, a Node stream even for a unary call, cost a fifth of the
 * throughput, and they end every call with the words OK, which the protocol leaves out.
 */
export function createWireMethods(host: WireHost): WireMethods {
  let handedOver: ServerHttp2Stream | undefined;
  let opener: Peer | undefined;
  const served = new Map<string, { readonly method: Method; readonly invoke: Invoke<ServerCall> }>();
  return {
    interceptors: [
      ({ path }, call) => {
        const found = served.get(path);
        if (!found) return new ServerInterceptingCall(call);
        const [stream, peer] = [handedOver, opener];
        // For one call alone: whoever comes unannounced must not be taken for whoever was announced last.
        handedOver = opener = undefined;
        if (peer) new WireCall(found.method, found.invoke, call, host, peer, stream).begin();
        else call.sendStatus(UNANNOUNCED);
        return new TakenCall(call);
      },
    ],
    handOver(stream, peer) {
      handedOver = stream;
      opener = peer;
    },
    add(server, chains) {
      const definition: Record<string, MethodDefinition<Decoded, Buffer>> = {};
      const implementation: UntypedServiceImplementation = {};
      for (const [method, invoke] of chains) {
        served.set(method.path, { method, invoke });
        // By full name: two contracts may each have a method of the same name.
        definition[method.fullName] = wireDefinition(method);
        implementation[method.fullName] = neverHandled;
      }
      server.addService(definition, implementation);
    },
  };
}

const UNANNOUNCED = { code: status.INTERNAL, details: 'the call came in past the door, which says who calls; it is not served', metadata: null };

/** What grpc-js gets in place of a call that is served already: it begins to listen, and never hears anything. */
class TakenCall extends ServerInterceptingCall {
  override start(): void {}
}

function wireDefinition({ desc, path, requestStreams, responseStreams }: Method): MethodDefinition<Decoded, Buffer> {
  return {
    path,
    requestStream: requestStreams,
    responseStream: responseStreams,
    requestSerialize: onlyClients,
    requestDeserialize: (bytes) => decodeRequest(desc, bytes),
    // WireCall hands over bytes.
    responseSerialize: (bytes) => bytes,
    responseDeserialize: onlyClients,
  };
}

function onlyClients(): never {
  throw new Error('only clients write requests and read answers');
}

function neverHandled(): never {
  throw new Error('a call that was taken over reached the handler of grpc-js');
}
