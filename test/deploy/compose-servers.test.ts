import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { connectConsul, peerService, readChain } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';
import { type BackendName, locateBackend, requireBackend } from '../backends/locate.ts';
import { probe } from '../backends/probe.ts';
import { type StartedServer, startServer } from '../backends/start-server.ts';
import { composeFile, composeService, projectRoot } from './compose-file.ts';
import { hasOwnAddresses, ownAddresses } from './own-address.ts';

const execute = promisify(execFile);

/** Skips the suite where the backend is not installed; with CI=true that is a failure. */
function needs(name: BackendName): void {
  before(async function () {
    if (process.env['CI'] === 'true') await requireBackend(name);
    else if ((await locateBackend(name)) === undefined) this.skip();
  });
}

/** The servers listen on the ports of the file, so each is given a loopback address of its own. */
function needsOwnAddresses(): void {
  before(function () {
    if (!hasOwnAddresses) this.skip();
  });
}

describe('docker-compose config', function () {
  this.timeout(30_000);
  needs('docker-compose');

  /** Only what is given here is set, whatever the machine's variables and its .env file are. */
  async function config(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> {
    const file = join(projectRoot, 'docker-compose.yml');
    const all = ['--env-file', '/dev/null', '-f', file, 'config', ...args];
    const { stdout } = await execute(await requireBackend('docker-compose'), all, { env: { PATH: process.env['PATH'] ?? '', ...env } });
    return stdout;
  }

  it('takes the file, and reads it as these tests do', async () => {
    const { services } = JSON.parse(await config({ STRIPE_API_KEY: 'sk_test_compose' }, '--format', 'json')) as {
      services: Record<string, { environment?: Record<string, string>; command?: string[] | null }>;
    };
    expect(Object.keys(services)).to.have.members(Object.keys(composeFile.services));
    for (const [name, { environment = {}, command }] of Object.entries(services)) {
      expect(Object.keys(environment), name).to.have.members(Object.keys(composeService(name).environment ?? {}));
      expect(command ?? undefined, name).to.deep.equal(composeService(name).command);
    }
  });

  it('puts in what is set outside', async () => {
    const text = await config({ STRIPE_API_KEY: 'sk_test_compose', SHOP_DATABASE_PASSWORD: 'other', MESH_LOG_LEVEL: 'debug' });
    expect(text).to.contain('postgres://shop_order:other@postgres:5432/shop_order');
    expect(text).to.contain('SHOP_DATABASE_PASSWORD: other').and.to.contain('MESH_LOG_LEVEL: debug').and.not.to.contain('localonly@');
  });

  it('says what is missing without a Stripe key', async () => {
    const refused = await config({}, '--quiet').catch((error: Error) => error.message);
    expect(refused).to.contain('STRIPE_API_KEY').and.to.contain('test key');
  });
});

describe('the Consul of docker-compose.yml', function () {
  this.timeout(60_000);
  needsOwnAddresses();
  needs('consul');
  const [first = '', second = ''] = ownAddresses(2);
  let started: StartedServer<string> | undefined;
  after(() => started?.stop());

  /** By the file's own health check. */
  async function isHealthy(address: string): Promise<boolean> {
    const [, , ...command] = composeService('consul').healthcheck?.test ?? [];
    return execute(await requireBackend('consul'), [...command, `-http-addr=http://${address}:8500`]).then(() => true, () => false);
  }

  async function start(address: string, data: string): Promise<StartedServer<string>> {
    const asked = composeService('consul').command ?? [];
    const args = asked.map((word) => (word === '-client=0.0.0.0' ? `-client=${address}` : word));
    return startServer({
      name: 'consul',
      command: await requireBackend('consul'),
      plan: async (folder) => ({
        address,
        args: [...args, `-bind=${address}`, `-data-dir=${data || join(folder, 'data')}`],
        isReady: () => isHealthy(address),
      }),
    });
  }

  it('starts with the arguments of the file, and is healthy when it leads', async () => {
    expect(await isHealthy(first)).to.equal(false);
    started = await start(first, '');
    const leader = await probe(`http://${first}:8500/v1/status/leader`);
    expect(leader).to.deep.equal({ status: 200, body: `"${first}:8300"` });
    expect((await probe(`http://${first}:8500/ui/`))?.status).to.equal(200);
  });

  it('signs the certificates of services, with names that other programs insist on', async () => {
    const controlPlane = await connectConsul({ address: `http://${first}:8500`, clock: systemClock, random: systemRandom, log: silentLog });
    try {
      const identity = await controlPlane.certificates.identity('order');
      const { subjectAltName } = new X509Certificate(identity.leaf().chainPem);
      expect(subjectAltName).to.contain('DNS:order').and.to.contain('DNS:localhost');
      expect(peerService(readChain(identity.leaf().chainPem), identity.trust(), systemClock.now())).to.have.nested.property('id.service', 'order');
    } finally {
      await controlPlane.stop();
    }
  });

  it('keeps its policies when the container comes back under another address', async () => {
    const before = started;
    if (before === undefined) throw new Error('the first did not start');
    const written = await fetch(`http://${first}:8500/v1/kv/shopmesh/x`, { method: 'PUT', body: 'kept', headers: { connection: 'close' } });
    expect(await written.text()).to.equal('true');
    await before.server().stop();
    const again = await start(second, join(before.folder, 'data'));
    try {
      expect((await probe(`http://${second}:8500/v1/kv/shopmesh/x?raw`))?.body).to.equal('kept');
    } finally {
      await again.stop();
    }
  });
});

describe('the Jaeger of docker-compose.yml', function () {
  this.timeout(60_000);
  needsOwnAddresses();
  needs('jaeger');
  const [address = ''] = ownAddresses(1);
  let started: StartedServer<string> | undefined;
  before(async () => {
    const [option = ''] = composeService('jaeger').command ?? [];
    const config = join(projectRoot, composeFile.configs['jaeger']?.file ?? '');
    started = await startServer({
      name: 'jaeger',
      command: await requireBackend('jaeger'),
      plan: async () => ({
        address,
        args: [option, config],
        // The image sets the first to 0.0.0.0.
        env: { JAEGER_LISTEN_HOST: address, ...composeService('jaeger').environment },
        isReady: async () => (await probe(`http://${address}:13133/status`))?.status === 200,
      }),
    });
  });
  after(() => started?.stop());

  it('is healthy by the address of its health check, and answers queries', async () => {
    const url = composeService('jaeger').healthcheck?.test.at(-1) ?? '';
    expect((await probe(url.replace('127.0.0.1', address)))?.status).to.equal(200);
    expect((await probe(`http://${address}:16686/api/services`))?.status).to.equal(200);
  });

  it('takes spans where the services send them, in either protocol', async () => {
    // A GET is the wrong method there; nobody listening would be no answer at all.
    expect((await probe(`http://${address}:4318/v1/traces`))?.status).to.equal(405);
    expect((await probe(`http://${address}:14268/api/traces`))?.status).to.equal(405);
  });
});
