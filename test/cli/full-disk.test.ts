import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { silentLog, systemClock, systemRandom } from '#kit';

import { guardProcess } from '../backends/guard.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';
import { eventually } from './support/eventually.ts';
import { meshHere } from './support/in-process.ts';
import { type Environment, makeShopFolder, type ShopFolder } from './support/shop-folder.ts';
import { ps, SERVICES } from './support/shop-commands.ts';

const MESH = join(import.meta.dirname, '..', '..', 'cli', 'mesh.js');

/** Linux has a device on which there is never room, for anybody. */
const FULL = '/dev/full';

describe('on a full disk', function () {
  this.timeout(120_000);
  this.slow(20_000);

  let folder: ShopFolder;
  let running: ChildProcess | undefined;
  before(function () {
    if (!existsSync(FULL)) this.skip();
  });
  beforeEach(async () => {
    folder = await makeShopFolder({ MESH_LOG_LEVEL: 'info' });
  });
  afterEach(async () => {
    if (running?.kill('SIGKILL')) await once(running, 'exit');
    running = undefined;
    await folder?.remove();
  });

  /** Runs `mesh` where nothing it prints or logs can be kept. */
  async function start(args: readonly string[], environment: Environment): Promise<void> {
    const full = openSync(FULL, 'w');
    running = spawn(process.execPath, [MESH, ...args], { stdio: ['ignore', full, full], env: environment, detached: true });
    closeSync(full);
    await once(running, 'spawn');
    const guard = guardProcess(running.pid ?? 0, folder.root);
    running.once('exit', () => void guard.release());
  }

  async function exitCode(): Promise<unknown> {
    return running?.exitCode ?? (running && (await once(running, 'exit'))[0]);
  }

  describe('mesh serve', () => {
    let agent: EmbeddedAgent;
    let database: TestDatabase;
    beforeEach(async () => {
      agent = await startAgent({ dataDir: folder.root, host: '127.0.0.1', port: 0, log: silentLog, clock: systemClock, random: systemRandom });
      database = await createTestDatabase();
    });
    afterEach(async () => {
      await agent.stop();
      await database.drop();
    });

    it('serves, and ends when it is told to', async () => {
      const environment = { ...folder.environment, CONSUL_HTTP_ADDR: agent.url, DATABASE_URL: database.url, OTEL_TRACES_EXPORTER: 'none' };
      await start(['serve', 'user'], environment);
      await eventually('it answers', async () => {
        const { stdout, stderr } = await meshHere(['call', 'user.Check', '{"service":"shop.user.v1.UserService"}', '--json'], environment);
        return `${stdout}${stderr}`.includes('"SERVING"');
      });
      running?.kill('SIGTERM');
      expect(await exitCode()).to.equal(0);
    });
  });

  it('mesh up brings the shop up, runs what was killed again, and ends when it is told to', async () => {
    await mkdir(join(folder.dataDir, 'logs'), { recursive: true });
    await symlink(FULL, join(folder.dataDir, 'logs', 'supervisor.log'));
    await folder.layCluster();
    await start(['up', '--topology', 'monolith'], folder.environment);
    const first = await pidOfHealthyShop();
    process.kill(first, 'SIGKILL');
    await pidOfHealthyShop(first);
    expect((await meshHere(['down'], folder.environment)).exitCode).to.equal(0);
    expect(await exitCode()).to.equal(0);
    expect(await folder.leftOvers()).to.deep.equal([]);
  });

  /** Of the process that runs all services, once they are well. */
  async function pidOfHealthyShop(former?: number): Promise<number> {
    let pids: readonly (number | undefined)[] = [];
    await eventually('every service is healthy', async () => {
      if ((await meshHere(['ps'], folder.environment)).exitCode !== 0) return false;
      pids = (await ps(folder.environment)).filter(({ healthy }) => healthy).map(({ pid }) => pid);
      return pids.length === SERVICES.length && !pids.includes(former ?? 0);
    });
    return pids[0] ?? 0;
  }
});
