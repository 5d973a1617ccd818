// Health check of a container: `node deploy/compose/healthcheck.js PORT` asks the service on that port of
// MESH_ADVERTISE for its gRPC health, and exits with 0 when it serves. Over TLS, like Consul's check: it shows no
// certificate, and takes whatever one it is shown, for what it asks is no secret. Plain JavaScript on
// grpc-js alone: it starts every few seconds beside the service, and should cost next to nothing.
import { isIPv6 } from 'node:net';

import { Client, credentials } from '@grpc/grpc-js';

const TIMEOUT_MS = 2_000;
const METHOD = '/grpc.health.v1.Health/Check';
/** `HealthCheckResponse`: field 1, the status, is 1. */
const SERVING = Buffer.from([0x08, 0x01]);

const host = process.env.MESH_ADVERTISE || '127.0.0.1';
const port = Number(process.argv[2]);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  process.stderr.write('usage: node deploy/compose/healthcheck.js PORT\n');
  process.exit(2);
}

const anybody = credentials.createSsl(null, null, null, { rejectUnauthorized: false, checkServerIdentity: () => undefined });
const client = new Client(`${isIPv6(host) ? `[${host}]` : host}:${port}`, anybody, {
  'grpc.enable_http_proxy': 0,
  // An address is no name to ask for in TLS.
  'grpc.ssl_target_name_override': 'localhost',
});
const asIs = (bytes) => bytes;
// An empty request asks for the whole server.
client.makeUnaryRequest(METHOD, asIs, asIs, Buffer.alloc(0), { deadline: Date.now() + TIMEOUT_MS }, (error, answer) => {
  const serves = !error && SERVING.equals(answer);
  const found = error ? error.details : serves ? 'serving' : 'not serving';
  process.stdout.write(`${host}:${port}: ${found}\n`);
  process.exitCode = serves ? 0 : 1;
  client.close();
});
