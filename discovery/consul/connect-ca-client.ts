import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ConnectCAService, SignRequestSchema, SignResponseSchema, WatchRootsRequestSchema, WatchRootsResponseSchema } from '#proto/hashicorp/consul/connectca/ca_pb.js';
import { MeshError } from '#kit';

import type { TrustBundle } from '../certificate.ts';
import { tokenAdvice, unavailable } from './failure.ts';
import type { GrpcAddress } from './grpc-address.ts';
import type { ConsulToken } from './token.ts';
import { trustBundle } from './trust-bundle.ts';

/** Consul's authority on its gRPC port: the one that takes our own requests. Client agents of 1.19 hand requests on to a server. */
export interface ConnectCaClient {
  /** For people. */
  readonly address: string;
  /** The leaf and its intermediates in PEM. */
  sign(csrPem: string, signal: AbortSignal): Promise<string>;
  /** Tells of the roots at once and whenever they change. Resolves when the signal aborts; rejects when the stream ends. */
  watchRoots(onRoots: (bundle: TrustBundle) => void, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface ConnectCaOptions extends GrpcAddress {
  /** Who vouches for Consul's own certificate, PEM; undefined: the authorities that Node knows. */
  readonly caPem?: string;
  /** The name in that certificate, where it is not the host. */
  readonly serverName?: string;
  readonly token: ConsulToken;
  readonly clock: { now(): number };
  /** For one signature. Default 5,000. */
  readonly signTimeoutMs?: number;
}

const PATH = `/${ConnectCAService.typeName}`;

export function createConnectCaClient(options: ConnectCaOptions): ConnectCaClient {
  const { authority, secure, token, clock, signTimeoutMs = 5_000 } = options;
  const client = openClient(options);
  const address = `${secure ? 'https' : 'http'}://${authority}`;
  const callee: Callee = { client, token, address };
  return {
    address,
    sign: (csrPem, signal) => sign(callee, csrPem, clock.now() + signTimeoutMs, signal),
    watchRoots: (onRoots, signal) => watchRoots(callee, onRoots, signal),
    close: () => client.close(),
  };
}

interface Callee {
  readonly client: Client;
  readonly token: ConsulToken;
  readonly address: string;
}

async function sign({ client, token, address }: Callee, csrPem: string, deadline: number, signal: AbortSignal): Promise<string> {
  const metadata = await metadataWith(token);
  const serialize = (csr: string): Buffer => Buffer.from(toBinary(SignRequestSchema, create(SignRequestSchema, { csr })));
  const parse = (bytes: Buffer): string => fromBinary(SignResponseSchema, bytes).certPem;
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(`${PATH}/Sign`, serialize, parse, csrPem, metadata, { deadline }, (error, pem) => {
      signal.removeEventListener('abort', cancel);
      if (error) reject(grpcFailure(error, address));
      else resolve(pem ?? '');
    });
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
  });
}

async function watchRoots({ client, token, address }: Callee, onRoots: (bundle: TrustBundle) => void, signal: AbortSignal): Promise<void> {
  const metadata = await metadataWith(token);
  const serialize = (): Buffer => Buffer.from(toBinary(WatchRootsRequestSchema, create(WatchRootsRequestSchema)));
  return new Promise((resolve, reject) => {
    const stream = client.makeServerStreamRequest(`${PATH}/WatchRoots`, serialize, readRoots, undefined, metadata);
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    let failure: MeshError | undefined;
    stream.on('data', (read: () => TrustBundle) => {
      try {
        onRoots(read());
      } catch (thrown) {
        failure = MeshError.from(thrown);
        stream.cancel();
      }
    });
    stream.on('error', (error: ServiceError) => (failure ??= grpcFailure(error, address)));
    stream.once('close', () => {
      signal.removeEventListener('abort', cancel);
      if (signal.aborted) resolve();
      else reject(failure ?? unavailable('unreachable', `Consul's gRPC port at ${address} ended the stream of roots`));
    });
    if (signal.aborted) cancel();
  });
}

/** As it is now: a stream keeps the token that it began with, and Consul ends it when that one is no longer worth anything. */
async function metadataWith(token: ConsulToken): Promise<Metadata> {
  await token.refresh();
  const metadata = new Metadata();
  const text = token.current();
  if (text !== undefined) metadata.set('x-consul-token', text);
  return metadata;
}

function openClient({ authority, secure, caPem, serverName }: ConnectCaOptions): Client {
  const channel = secure ? credentials.createSsl(caPem === undefined ? null : Buffer.from(caPem)) : credentials.createInsecure();
  return new Client(authority, channel, {
    'grpc.enable_http_proxy': 0,
    // A stream on which nothing comes for months looks like one whose server is gone. Consul takes a ping every 15 s.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    ...(serverName !== undefined && serverName !== '' && { 'grpc.ssl_target_name_override': serverName }),
  });
}

/** What cannot be read is said by whoever calls it: an error thrown in a parser ends the call without its sentence. */
function readRoots(bytes: Buffer): () => TrustBundle {
  return () => {
    const { trustDomain, activeRootId, roots } = fromBinary(WatchRootsResponseSchema, bytes);
    return trustBundle(trustDomain, roots.map(({ id, rootCert }) => ({ pem: rootCert, isActive: id === activeRootId })));
  };
}

const REFUSALS: ReadonlySet<status> = new Set([status.PERMISSION_DENIED, status.UNAUTHENTICATED, status.INVALID_ARGUMENT, status.UNIMPLEMENTED]);

function grpcFailure({ code, details }: ServiceError, address: string): MeshError {
  const said = `${status[code]} ${details.slice(0, 200)}`.trim();
  const isRefusal = REFUSALS.has(code);
  const isAboutToken = code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED;
  const advice = isAboutToken ? `; ${tokenAdvice(details, 'service:write for it')}` : '';
  return unavailable(isRefusal ? 'refused' : 'unreachable', `Consul's gRPC port at ${address} answers ${said}${advice}`);
}
