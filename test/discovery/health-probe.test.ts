import { createSecureServer, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { expect } from 'chai';

import { createHealthProbe, type HealthProbe } from '../../discovery/agent/health-probe.ts';
import { createTestAuthority } from './support/authority.ts';
import { startBackend } from './support/backend.ts';
import { until } from './support/until.ts';

describe('the health probe of the embedded agent', () => {
  const { signal } = new AbortController();
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  function probeOf(target: string, tls = false): HealthProbe {
    const probe = createHealthProbe(target, tls);
    closers.push(() => probe.close());
    return probe;
  }

  async function listen(server: Server): Promise<number> {
    const sockets = new Set<Socket>();
    const note = (socket: Socket): void => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    };
    // A TLS server's first event has a socket that the one of its second has taken over.
    server.on('connection', note).on('secureConnection', note).on('tlsClientError', (_, socket: Socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  }

  it('asks a gRPC server for a service, or as a whole, over one connection', async () => {
    const backend = await startBackend('stock');
    closers.push(() => backend.stop());
    const probe = probeOf(`127.0.0.1:${backend.port}/${'shop.'.repeat(40)}stock`);
    expect(await probe.ask(1_000, signal)).to.deep.include({ serving: true });
    expect(backend.healthAsked()).to.equal(`${'shop.'.repeat(40)}stock`);
    backend.setServing(false);
    const { serving, output } = await probe.ask(1_000, signal);
    expect(serving).to.equal(false);
    expect(output).to.contain('does not serve');
    const whole = probeOf(`127.0.0.1:${backend.port}`);
    await whole.ask(1_000, signal);
    expect(backend.healthAsked()).to.equal('');
    await backend.stop();
    expect((await whole.ask(1_000, signal)).output).to.contain('ECONNREFUSED');
  });

  it('gives up on a silent peer and lets go of its connection', async () => {
    let connections = 0;
    let open = 0;
    const silent = createServer((socket) => {
      connections += 1;
      open += 1;
      socket.resume().once('close', () => (open -= 1));
    });
    const port = await listen(silent);
    const probe = probeOf(`127.0.0.1:${port}`);
    for (let asked = 1; asked <= 3; asked += 1) {
      expect((await probe.ask(50, signal)).output).to.contain('no answer within 50 ms');
      await until('the connection is closed', () => open === 0);
      expect(connections).to.equal(asked);
    }
  });

  it('asks over TLS without a certificate of its own, whatever one it is shown', async () => {
    const { chainPem: cert, keyPem: key } = await (await createTestAuthority()).leaf('stock');
    const shown: object[] = [];
    const server = createSecureServer({ cert, key, requestCert: true, rejectUnauthorized: false }).on('stream', (stream: ServerHttp2Stream) => {
      const { socket } = stream.session ?? {};
      if (socket instanceof TLSSocket) shown.push(socket.getPeerCertificate());
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, 1]));
    });
    // It is a TCP server; only its type does not say so.
    const port = await listen(server as unknown as Server);
    const probe = probeOf(`127.0.0.1:${port}/shop.stock`, true);
    for (let asked = 0; asked < 2; asked += 1) expect(await probe.ask(1_000, signal)).to.deep.include({ serving: true });
    expect(shown).to.deep.equal([{}, {}]);
    expect((await probeOf(`127.0.0.1:${port}`).ask(1_000, signal)).serving, 'in plaintext').to.equal(false);
    const plain = await listen(createHttp2Server());
    expect((await probeOf(`127.0.0.1:${plain}`, true).ask(1_000, signal)).serving, 'of a port without TLS').to.equal(false);
  });

  it('takes no other answer for a yes', async () => {
    const answers: ((stream: ServerHttp2Stream) => void)[] = [
      (stream) => stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true }),
      (stream) => stream.respond({ ':status': 404 }, { endStream: true }),
      (stream) => {
        stream.respond({ ':status': 200, 'grpc-status': '0' });
        stream.end(Buffer.from([0, 0, 0, 0, 0]));
      },
      (stream) => stream.close(2),
      (stream) => stream.session?.destroy(),
    ];
    let answer = answers[0];
    const server = createHttp2Server().on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      answer?.(stream);
    });
    const port = await listen(server);
    const probe = probeOf(`127.0.0.1:${port}/shop.stock`);
    for (answer of answers) {
      const { serving, output } = await probe.ask(1_000, signal);
      expect(serving, output).to.equal(false);
    }
  });
});
