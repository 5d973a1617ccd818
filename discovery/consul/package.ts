import { EventEmitter } from 'node:events';
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import Consul from 'consul';

import type { ConsulAddress } from './address.ts';
import type { ConsulToken } from './token.ts';

/** The options that every call of the package takes. */
export interface PackageOptions {
  readonly ctx: CallContext;
  /** For the whole call, in milliseconds. */
  readonly timeout: number;
  readonly [option: string]: unknown;
}

/** A call of the package: emitting `cancel` ends it; `includeResponse` makes it answer with its headers. */
export interface CallContext extends EventEmitter {
  readonly includeResponse: true;
}

/** A request below the package's own functions, for what it has none for. */
export interface RawRequest {
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly type?: 'json' | 'text';
  readonly body?: unknown;
  readonly ctx: CallContext;
  readonly timeout: number;
}

export interface PackageResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

/** With `includeResponse` the package answers the response together with the decoded body. */
export type PackageReply = readonly [response: PackageResponse, body?: unknown];

type PackageCall = (options: PackageOptions) => Promise<PackageReply>;

interface Transport {
  request(options: unknown): ClientRequest;
}

interface Extensible {
  _ext(event: 'onRequest', extension: (request: { transport: Transport; readonly req: { readonly headers: Record<string, string> } }, next: () => void) => void): void;
}

/** What we use of `consul`, with the parts that its own declarations leave out or call `any`. */
export interface ConsulPackage extends Extensible {
  readonly agent: { readonly service: { readonly list: PackageCall; readonly deregister: PackageCall } };
  readonly catalog: { readonly service: { readonly list: PackageCall } };
  readonly health: { readonly service: PackageCall };
  readonly kv: { readonly get: PackageCall; readonly set: PackageCall; readonly del: PackageCall };
  readonly status: { readonly leader: PackageCall };
  _get(request: RawRequest): Promise<PackageResponse>;
  _put(request: RawRequest): Promise<PackageResponse>;
  _delete(request: RawRequest): Promise<PackageResponse>;
  /** Closes its sockets, idle or not: a call under way fails. */
  destroy(): void;
}

export interface PackageSetup {
  readonly address: ConsulAddress;
  readonly token: ConsulToken;
  /** Who vouches for the certificate of an HTTPS address, PEM; undefined: the authorities that Node knows. */
  readonly caPem: string | undefined;
}

export function openPackage({ address, token, caPem }: PackageSetup): ConsulPackage {
  const { host, port, secure } = address;
  const agent = secure ? new HttpsAgent({ keepAlive: true, ...(caPem !== undefined && { ca: caPem }) }) : new HttpAgent({ keepAlive: true });
  // Its declarations know neither the call context nor the functions below the typed ones.
  const opened = new Consul({ host, port, secure, agent }) as unknown as ConsulPackage;
  failOnTruncatedAnswers(opened);
  sendToken(opened, token);
  return opened;
}

export function createCallContext(): CallContext {
  return Object.assign(new EventEmitter(), { includeResponse: true as const });
}

/**
 * The package waits for the end of an answer and for nothing else, so a call whose
 * connection breaks in the middle of the body would only end with its timeout:
 * minutes, for a blocking query.
 */
function failOnTruncatedAnswers(opened: Extensible): void {
  opened._ext('onRequest', (request, next) => {
    const { transport } = request;
    request.transport = {
      request: (options) => {
        const call = transport.request(options);
        call.on('response', (response: IncomingMessage) => {
          response.once('close', () => {
            if (!response.complete) call.emit('error', new Error('the connection broke in the middle of an answer'));
          });
        });
        return call;
      },
    };
    next();
  });
}

/** Not by the package's own option: that is for one token for ever, and requests below its functions do without it. */
function sendToken(opened: Extensible, token: ConsulToken): void {
  opened._ext('onRequest', ({ req }, next) => {
    const text = token.current();
    if (text !== undefined) req.headers['x-consul-token'] = text;
    next();
  });
}
