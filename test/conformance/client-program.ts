// Clients of this runtime, as connectconformance starts them: reads calls to make on standard input, says how each ended on standard output.
import { Channel, type ChannelCredentials, compressionAlgorithms, credentials } from '@grpc/grpc-js';

import { silentLog, systemClock } from '#kit';
import { type Client, type ClientInterceptor, createMesh, type Mesh } from '#mesh';
import { type ClientCompatRequest, ClientCompatRequestSchema, ClientCompatResponseSchema } from '#proto/connectrpc/conformance/v1/client_compat_pb.js';
import { Compression } from '#proto/connectrpc/conformance/v1/config_pb.js';
import { ConformanceService } from '#proto/connectrpc/conformance/v1/service_pb.js';

import { createTelemetry } from '../mesh/support/telemetry.ts';
import { frame, readMessages } from './framing.ts';
import { invoke } from './invoke.ts';

const AT_ONCE = 16;

/** The suite counts a deadline that it did not ask for as an error: here a call without one has none, also not the contract's. */
const onlyTheCallers: ClientInterceptor = (next) => (call) => {
  if (call.timeoutMs === Infinity) call.deadline = Infinity;
  return next(call);
};

type Conformance = Client<typeof ConformanceService>;

const meshes: Mesh[] = [];
const clients = new Map<string, Conformance>();
const tracer = createTelemetry().tracer('conformance');

/** One client for each server and way to compress. */
function clientOf(request: ClientCompatRequest): Conformance {
  const { host, port, compression } = request;
  const key = `${host}:${port} ${compression} ${request.clientTlsCreds !== undefined}`;
  let found = clients.get(key);
  if (!found) {
    const algorithm = compression === Compression.GZIP ? compressionAlgorithms.gzip : compressionAlgorithms.identity;
    const options = { 'grpc.enable_http_proxy': 0, 'grpc.default_compression_algorithm': algorithm };
    const openChannel = () => new Channel(`${host}:${port}`, credentialsOf(request), options);
    const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel, interceptors: { client: [onlyTheCallers] } });
    meshes.push(mesh);
    clients.set(key, (found = mesh.client(ConformanceService, { service: '', tracer })));
  }
  return found;
}

function credentialsOf({ serverTlsCert, clientTlsCreds }: ClientCompatRequest): ChannelCredentials {
  if (serverTlsCert.length === 0) return credentials.createInsecure();
  const own = clientTlsCreds ? ([Buffer.from(clientTlsCreds.key), Buffer.from(clientTlsCreds.cert)] as const) : [];
  return credentials.createSsl(Buffer.from(serverTlsCert), ...own);
}

async function serve(request: ClientCompatRequest): Promise<void> {
  const { testName } = request;
  const result = await invoke(clientOf(request), request, systemClock).then(
    (value) => ({ case: 'response', value }) as const,
    (thrown: unknown) => ({ case: 'error', value: { message: String(thrown) } }) as const,
  );
  process.stdout.write(frame(ClientCompatResponseSchema, { testName, result }));
}

const running = new Set<Promise<void>>();
for await (const request of readMessages(ClientCompatRequestSchema, process.stdin)) {
  const call = serve(request).finally(() => running.delete(call));
  running.add(call);
  if (running.size >= AT_ONCE) await Promise.race(running);
}
await Promise.all(running);
await Promise.all(meshes.map((mesh) => mesh.stop()));
