import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { create, type DescMessage, toBinary } from '@bufbuild/protobuf';
import { Channel, credentials, status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { silentLog, systemClock } from '#kit';
import { createMesh } from '#mesh';
import {
  ClientStreamRequestSchema,
  ConformanceService,
  UnaryRequestSchema,
  UnaryResponseSchema,
} from '#proto/connectrpc/conformance/v1/service_pb.js';

import { until } from '../discovery/support/until.ts';
import { frame, GREETING, useRawPeers } from '../mesh/door/support/raw-peer.ts';
import { useFleet } from '../mesh/support/fleet.ts';
import { failureOf } from '../mesh/support/outcome.ts';
import { framed, rawCall } from '../mesh/support/raw-call.ts';
import { createTelemetry } from '../mesh/support/telemetry.ts';

const SERVICE = `/${ConformanceService.typeName}`;
const DATA = 0x0;
const HEADERS = 0x1;
const RST_STREAM = 0x3;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const CANCEL = Buffer.from([0, 0, 0, 8]);

const empty = (schema: DescMessage): Buffer => framed(toBinary(schema, create(schema)));

/** Headers as HPACK has them when nothing is indexed (RFC 7541, 6.2.2). */
function literals(headers: Readonly<Record<string, string>>): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat(Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

describe('a server', () => {
  const fleet = useFleet('remote');
  let port = 0;
  const peer = useRawPeers(() => port);

  it('does not take a stream of requests that is reset at its end for one that is whole', async () => {
    const seen: { messages: number; end?: unknown } = { messages: 0 };
    ({ port } = await fleet().host(ConformanceService, () => ({
      async clientStream(requests) {
        try {
          for await (const _request of requests) seen.messages += 1;
          seen.end = 'ended';
        } catch (thrown) {
          seen.end = thrown;
        }
        return {};
      },
    })));
    const caller = await peer();
    const headers = { ':method': 'POST', ':scheme': 'http', ':path': `${SERVICE}/ClientStream`, ':authority': 'test', 'content-type': 'application/grpc', te: 'trailers' };
    caller.send(Buffer.concat([GREETING, frame(HEADERS, END_HEADERS, 1, literals(headers)), frame(DATA, 0, 1, empty(ClientStreamRequestSchema))]));
    await until('the message came', () => seen.messages === 1);
    // As a caller on Node goes away: it ends its stream first.
    caller.send(Buffer.concat([frame(DATA, END_STREAM, 1), frame(RST_STREAM, 0, 1, CANCEL)]));
    await until('the handler is over', () => seen.end !== undefined);
    expect(seen.end).to.include({ code: 'CANCELLED' });
  });

  it('refuses none or two messages where its contract has one, in gRPC’s own words alone', async () => {
    ({ port } = await fleet().host(ConformanceService, () => ({ unary: async () => ({}) })));
    for (const messages of [[], [empty(UnaryRequestSchema), empty(UnaryRequestSchema)]]) {
      const said = await rawCall(port, `${SERVICE}/Unary`, {}, Buffer.concat(messages));
      expect(said['grpc-status']).to.equal(String(status.UNIMPLEMENTED));
      expect(Buffer.from(String(said['grpc-status-details-bin']), 'base64').toString()).not.to.contain('ErrorInfo');
    }
  });

  it('sends bytes in base64 without padding', async () => {
    ({ port } = await fleet().host(ConformanceService, () => ({
      async unary(_request, call) {
        call.setHeader('x-bytes-bin', Buffer.from([1]));
        call.setTrailer('x-bytes-bin', [Buffer.from([1]), Buffer.from([1, 2])]);
        return {};
      },
    })));
    const said = await rawCall(port, `${SERVICE}/Unary`, {}, empty(UnaryRequestSchema));
    expect(said['x-bytes-bin']).to.equal('AQ, AQI');
  });
});

describe('a client', () => {
  for (const [what, messages] of [['none', []], ['two messages', [empty(UnaryResponseSchema), empty(UnaryResponseSchema)]]] as const) {
    it(`refuses an answer of ${what} where its contract has one`, async () => {
      const server = createServer();
      server.on('stream', (stream) => {
        stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.concat(messages));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      // A server that listens on an address has one.
      const { port } = server.address() as AddressInfo;
      const openChannel = () => new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
      const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
      const refused = await failureOf(mesh.client(ConformanceService, { service: '', tracer: createTelemetry().tracer('caller') }).unary({}));
      expect(refused).to.include({ code: 'UNIMPLEMENTED', reason: 'MESSAGE_COUNT' });
      await mesh.stop();
      server.close();
      await once(server, 'close');
    });
  }
});
