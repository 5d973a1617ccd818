// A server of this runtime, as connectconformance starts it: reads what it is to be on standard input, says where it listens on standard output.
import { systemClock } from '#kit';
import type { MeshOptions, ServerInterceptor } from '#mesh';
import { type ServerCompatRequest, ServerCompatRequestSchema, ServerCompatResponseSchema } from '#proto/connectrpc/conformance/v1/server_compat_pb.js';
import { ConformanceService } from '#proto/connectrpc/conformance/v1/service_pb.js';

import { createFleet } from '../mesh/support/fleet.ts';
import { frame, readMessages } from './framing.ts';
import { conformanceHandlers } from './handlers.ts';
import { startTlsFront } from './tls-front.ts';

/** Handlers tell the suite the caller's deadline, and not the contract's, which stands in for one. */
const onlyTheCallers: ServerInterceptor = (next) => (call) => {
  if (!call.timed) call.deadline = Infinity;
  return next(call);
};

/** The suite compresses. Its limit is kept by grpc-js: a refusal of ours says more than the suite takes. */
function limitsOf({ messageReceiveLimit }: ServerCompatRequest): NonNullable<MeshOptions['limits']> {
  const taken = { maxCompressed: 64 };
  return messageReceiveLimit > 0 ? { ...taken, maxBufferedBytes: messageReceiveLimit } : taken;
}

for await (const asked of readMessages(ServerCompatRequestSchema, process.stdin)) {
  const fleet = createFleet('remote', { limits: limitsOf(asked), interceptors: { server: [onlyTheCallers] } });
  const { port } = await fleet.host(ConformanceService, () => conformanceHandlers(systemClock));
  const front = asked.useTls ? await startTlsFront(port, asked) : undefined;
  process.once('SIGTERM', () => void Promise.all([front?.stop(), fleet.stop()]));
  const pemCert = asked.serverCreds?.cert ?? new Uint8Array();
  process.stdout.write(frame(ServerCompatResponseSchema, { host: '127.0.0.1', port: front?.port ?? port, pemCert }));
  // One request for one server.
  break;
}
