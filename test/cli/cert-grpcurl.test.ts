import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import { expect } from 'chai';
import { connectConsul, type ConsulControlPlane, type ServiceIdentity } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { certCommand } from '../../cli/commands/cert.ts';
import { startConsul } from '../backends/consul.ts';
import { locateBackend, requireBackend } from '../backends/locate.ts';
import { startEmbedded } from '../discovery/support/consul-server.ts';
import { inherited } from './support/shop-folder.ts';

const PROTOS = join(import.meta.dirname, '..', '..', 'proto', 'vendor');
const SERVING = Buffer.from([8, 1]);

for (const [name, start] of [['the embedded agent', startEmbedded], ['Consul', startConsul]] as const) {
  describe(`grpcurl with certificates of ${name}`, function () {
    this.timeout(60_000);
    let folder: string;
    let consul: { readonly httpAddr: string; stop(): Promise<void> } | undefined;
    let plane: ConsulControlPlane | undefined;
    let server: Server | undefined;
    let port = 0;
    before(async function () {
      const missing = (await Promise.all([locateBackend('grpcurl'), locateBackend('consul')])).includes(undefined);
      if (missing && process.env['CI'] !== 'true') this.skip();
      folder = await mkdtemp(join(tmpdir(), 'shopmesh-grpcurl-'));
      consul = await start();
      plane = await connectConsul({ address: consul.httpAddr, clock: systemClock, random: systemRandom, log: silentLog });
      server = createHealthServer();
      port = await listen(server, await plane.certificates.identity('order'));
    });
    after(async () => {
      server?.forceShutdown();
      await plane?.stop();
      await consul?.stop();
      if (folder) await rm(folder, { recursive: true });
    });

    async function writeCertificate(): Promise<Record<'certificate' | 'key' | 'roots', string>> {
      let files: unknown;
      const output = { ...{ json: false, width: undefined, readerGone: new AbortController().signal, note: () => undefined }, answer: (_: unknown, facts: unknown) => (files = facts) };
      const outer = process.env;
      process.env = { ...inherited(), MESH_DATA_DIR: join(folder, 'data'), CONSUL_HTTP_ADDR: consul?.httpAddr ?? '' };
      try {
        await certCommand('explorer', { out: undefined, ttlMs: 3_600_000 }, { output, warn: () => undefined });
      } finally {
        process.env = outer;
      }
      // What the command answers programs.
      return files as Record<'certificate' | 'key' | 'roots', string>;
    }

    async function check(...args: readonly string[]): Promise<string> {
      const command = await requireBackend('grpcurl');
      const proto = ['-import-path', PROTOS, '-proto', 'grpc/health/v1/health.proto', '-max-time', '10'];
      const run = promisify(execFile)(command, [...args, ...proto, `127.0.0.1:${port}`, 'grpc.health.v1.Health/Check']);
      return run.then(({ stdout }) => stdout, ({ stderr }: { stderr: string }) => stderr);
    }

    it('calls a service by address and by name, and both sides verify', async () => {
      const { certificate, key, roots } = await writeCertificate();
      const shown = ['-cert', certificate, '-key', key, '-cacert', roots];
      expect(await check(...shown)).to.contain('SERVING');
      expect(await check(...shown, '-authority', 'order')).to.contain('SERVING');
      expect(await check(...shown, '-authority', 'order.service.consul')).to.contain('SERVING');
      expect(await check(...shown, '-authority', 'payment'), 'another service').to.match(/certificate|handshake|deadline/i);
      expect(await check('-cacert', roots), 'without a certificate').to.not.contain('SERVING');
    });
  });
}

/** Answers every question for its health, which is good. */
function createHealthServer(): Server {
  const same = (bytes: Buffer): Buffer => bytes;
  const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  const server = new Server();
  server.addService(
    { check: { path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false, ...codec } },
    { check: (_: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => answer(null, SERVING) },
  );
  return server;
}

function listen(server: Server, identity: ServiceIdentity): Promise<number> {
  const { chainPem, privateKey } = identity.leaf();
  const pair = { cert_chain: Buffer.from(chainPem), private_key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
  const credentials = ServerCredentials.createSsl(Buffer.from(identity.trust().roots.join('\n')), [pair], true);
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}
