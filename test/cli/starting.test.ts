import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

import { expect } from 'chai';

import { freePort } from '../backends/free-port.ts';
import { eventually } from './support/eventually.ts';
import { meshHere } from './support/in-process.ts';
import { mesh, startMesh } from './support/mesh-command.ts';
import { makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

describe('a start that cannot succeed', function () {
  this.timeout(60_000);
  this.slow(10_000);

  let folder: ShopFolder;
  before(async () => {
    folder = await makeShopFolder();
    await folder.layCluster();
  });
  afterEach(async () => {
    expect(await folder.leftOvers()).to.deep.equal([]);
  });
  after(() => folder?.remove());

  const up = (settings: Record<string, string>, ...args: string[]) => mesh(['up', ...args], { environment: { ...folder.environment, ...settings } });
  // What no service comes to, one process that loads them tells as well as one for each.
  const upAsOne = (settings: Record<string, string>, ...args: string[]) => up({ MESH_TOPOLOGY: 'monolith', ...settings }, ...args);

  it('names a port that is taken, the service that needs it, the setting that moves it, and the log', async () => {
    const taken = await occupy();
    try {
      const { exitCode, stdout, stderr } = await up({ MESH_PORT_INVENTORY: String(taken.port) });
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(new RegExp(`^error: inventory could not start: port ${taken.port} on 127\\.0\\.0\\.1 is taken; .*MESH_PORT_INVENTORY.*MESH_PORT_<SERVICE>=0`));
      expect(stderr).to.include(join(folder.dataDir, 'logs', 'inventory.log')).and.include('(FAILED_PRECONDITION, PORT_IN_USE)');
      expect(stdout).not.to.include('ready in');
    } finally {
      await taken.close();
    }
  });

  it('says so to who started it detached, too', async () => {
    const taken = await occupy();
    try {
      const { exitCode, stdout, stderr } = await upAsOne({ MESH_PORT_ORDER: String(taken.port) }, '--detach', '--json');
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
      const { error } = JSON.parse(stderr) as { error: { code: string; reason: string; message: string } };
      expect(error).to.include({ code: 'FAILED_PRECONDITION', reason: 'PORT_IN_USE' });
      expect(error.message).to.include(`port ${taken.port}`).and.to.include('MESH_PORT_ORDER');
    } finally {
      await taken.close();
    }
  });

  it('names a CONSUL_HTTP_ADDR where nobody listens, at once', async () => {
    const address = `http://127.0.0.1:${await freePort()}`;
    const began = performance.now();
    const { exitCode, stderr } = await upAsOne({ CONSUL_HTTP_ADDR: address });
    expect(exitCode).to.equal(1);
    expect(stderr).to.include(`nobody answers for Consul at ${address} (CONSUL_HTTP_ADDR)`).and.include('CONTROL_PLANE_UNAVAILABLE');
    expect(performance.now() - began).to.be.lessThan(15_000);
  });

  it('names a DATABASE_URL where nobody listens, and keeps its password to itself', async () => {
    const port = await freePort();
    const { exitCode, stdout, stderr } = await upAsOne({ DATABASE_URL: `postgres://shop:hunter2@127.0.0.1:${port}/shop` });
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('DATABASE_URL').and.include('DATABASE_UNAVAILABLE');
    expect(stdout + stderr).not.to.include('hunter2');
  });

  it('names a DATABASE_URL that is none', async () => {
    const { exitCode, stderr } = await upAsOne({ DATABASE_URL: 'hunter2' });
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('DATABASE_URL is not the URL of a Postgres database').and.include('INVALID_SETTING').and.not.include('hunter2');
  });

  it('names a STRIPE_API_KEY that is none before anything is started, and keeps it to itself', async () => {
    const { exitCode, stdout, stderr } = await upAsOne({ STRIPE_API_KEY: 'hunter2' });
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
    expect(stderr).to.include('STRIPE_API_KEY is not a secret key of Stripe').and.include('INVALID_SETTING').and.not.include('hunter2');
  });

  it('says that a data folder cannot be made', async () => {
    const file = join(folder.root, 'a-file');
    await writeFile(file, '');
    const { exitCode, stderr } = await upAsOne({ MESH_DATA_DIR: join(file, 'data') });
    expect(exitCode).to.equal(1);
    expect(stderr).to.include(`MESH_DATA_DIR is ${join(file, 'data')}`).and.include('INVALID_SETTING').and.not.include(' at ');
  });
});

describe('Ctrl-C while the shop starts', function () {
  this.timeout(60_000);
  this.slow(10_000);

  let folder: ShopFolder;
  before(async () => {
    folder = await makeShopFolder();
  });
  after(() => folder?.remove());

  for (const [moment, sign, topology] of [
    ['while the database is made', /making a new database/, 'monolith'],
    ['before anything is up', /^shopmesh /m, 'monolith'],
    ['while the services start', /^ {2}stripe /m, 'micro'],
  ] as const) {
    it(`leaves nothing: ${moment}`, async () => {
      const running = startMesh(['up', '--demo', '--topology', topology], folder, folder.root);
      await running.untilPrinted(sign);
      running.killGroup('SIGINT');
      const { exitCode, stdout, stderr } = await running.finished;
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 130, stderr: '' });
      expect(stdout).to.match(/^stopping …\n[^]*stopped before it was up\n$/m).and.not.include('The sample order');
      expect(await folder.leftOvers()).to.deep.equal([]);
    });
  }

  it('leaves nothing of a detached one', async () => {
    const running = startMesh(['up', '--detach', '--topology', 'monolith'], folder, folder.root);
    await eventually('the shop has begun', async () => (await meshHere(['ps'], folder.environment)).stderr.includes('is not up yet'));
    running.killGroup('SIGINT');
    expect((await running.finished).exitCode).to.equal(130);
    expect(await folder.leftOvers()).to.deep.equal([]);
  });
});

/** Something else that listens on a port. */
async function occupy(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
