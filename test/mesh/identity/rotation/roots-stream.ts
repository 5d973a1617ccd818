import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream, type ServiceError } from '@grpc/grpc-js';

import type { Stoppable } from '#kit';
import { ConnectCAService, WatchRootsResponseSchema } from '#proto/hashicorp/consul/connectca/ca_pb.js';

const same = (bytes: Buffer): Buffer => bytes;
const raw = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const SIGN = `/${ConnectCAService.typeName}/Sign`;
const WATCH_ROOTS = `/${ConnectCAService.typeName}/WatchRoots`;
const METHODS = {
  sign: { path: SIGN, requestStream: false, responseStream: false, ...raw },
  watchRoots: { path: WATCH_ROOTS, requestStream: false, responseStream: true, ...raw },
};

/** Consul's gRPC port, with the roots that are left once those before are dropped. `tell` sends the list to all who watch it. */
export async function openRootsStream(consul: string, isDropping: () => boolean): Promise<Stoppable & { readonly grpcAddr: string; tell(): void }> {
  const client = new Client(consul, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
  const watches = new Set<() => void>();

  function left(bytes: Buffer): Buffer {
    if (!isDropping()) return bytes;
    const message = fromBinary(WatchRootsResponseSchema, bytes);
    message.roots = message.roots.filter(({ id }) => id === message.activeRootId);
    return Buffer.from(toBinary(WatchRootsResponseSchema, message));
  }

  function watchRoots(call: ServerWritableStream<Buffer, Buffer>): void {
    let latest: Buffer | undefined;
    const tell = (): void => void (latest && call.write(left(latest)));
    const stream = client.makeServerStreamRequest(WATCH_ROOTS, same, same, call.request);
    stream.on('data', (bytes: Buffer) => {
      latest = bytes;
      tell();
    });
    stream.on('error', (error: ServiceError) => call.emit('error', error));
    watches.add(tell);
    call.once('close', () => {
      watches.delete(tell);
      stream.cancel();
    });
  }

  const server = new Server();
  server.addService(METHODS, {
    sign: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void client.makeUnaryRequest(SIGN, same, same, call.request, answer),
    watchRoots,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    grpcAddr: `127.0.0.1:${port}`,
    tell: () => watches.forEach((tell) => tell()),
    async stop() {
      server.forceShutdown();
      client.close();
    },
  };
}
