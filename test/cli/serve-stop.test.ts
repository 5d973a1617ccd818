import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { expect } from 'chai';

import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { silentLog, systemClock, systemRandom } from '#kit';

import { guardProcess } from '../backends/guard.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';
import { makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

const MESH = join(import.meta.dirname, '..', '..', 'cli', 'mesh.js');

describe('mesh serve, told to stop', function () {
  this.timeout(30_000);
  this.slow(5_000);

  let folder: ShopFolder;
  let agent: EmbeddedAgent;
  let database: TestDatabase;
  let serving: ChildProcess | undefined;
  before(async () => {
    folder = await makeShopFolder();
    agent = await startAgent({ dataDir: folder.root, host: '127.0.0.1', port: 0, log: silentLog, clock: systemClock, random: systemRandom });
    database = await createTestDatabase();
  });
  afterEach(async () => {
    if (serving?.kill('SIGKILL')) await once(serving, 'exit');
  });
  after(async () => {
    await agent.stop();
    await database.drop();
    await folder.remove();
  });

  /** Serves until it says so, is told to stop, and ends. */
  async function end(stopTimeout: string): Promise<{ readonly exitCode: unknown; readonly stdout: string; readonly stderr: string }> {
    const ours = { CONSUL_HTTP_ADDR: agent.url, DATABASE_URL: database.url, OTEL_TRACES_EXPORTER: 'none', MESH_PORT_USER: '0' };
    const env = { ...folder.environment, ...ours, MESH_STOP_TIMEOUT: stopTimeout };
    const child = (serving = spawn(process.execPath, [MESH, 'serve', 'user'], { stdio: ['ignore', 'pipe', 'pipe'], env }));
    await once(child, 'spawn');
    const guard = guardProcess(child.pid ?? 0, folder.root);
    child.once('exit', () => void guard.release());
    const stderr = text(child.stderr);
    let stdout = '';
    child.stdout.on('data', (chunk) => (stdout += String(chunk)));
    const exited = once(child, 'close');
    await Promise.race([once(child.stdout, 'data'), exited]);
    child.kill('SIGTERM');
    const [exitCode] = await exited;
    return { exitCode, stdout, stderr: await stderr };
  }

  it('says that it stops, and ends with 0', async () => {
    const { exitCode, stdout, stderr } = await end('10s');
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(stdout).to.match(/^user serves on .*\nregistered with .*\nstopping …\n$/);
  });

  it('ends with 1 where MESH_STOP_TIMEOUT runs out, and says so', async () => {
    // It serves on for 0.3 s at least, until its callers have noticed.
    const { exitCode, stderr } = await end('50ms');
    expect(exitCode).to.equal(1);
    expect(stderr).to.match(/^error: user had not stopped after 0\.05 s.*MESH_STOP_TIMEOUT \(DEADLINE_EXCEEDED\)$/m);
  });
});
