import { lookup } from 'node:dns/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { MODULE_NAMES, type ModuleName, MODULES } from '#modules';

import { databaseSetting } from '../../cli/settings.ts';
import { createTestDatabase, type TestDatabase } from '../database/postgres-fixture.ts';
import { projectRoot } from './compose-file.ts';
import { type PlacedOrder, placeFirstOrder } from './first-order.ts';
import type { MeshCall } from './mesh-call.ts';
import { hasOwnAddresses, listeningOf, ownAddresses } from './own-address.ts';
import { type Program, runProgram, startProgram } from './program.ts';
import { healthyInstances, type ShopServers, startShopServers } from './shop-servers.ts';
import { signUp } from './sign-up.ts';

const MESH = join(projectRoot, 'cli', 'mesh.js');

describe('services on addresses of their own', function () {
  this.timeout(60_000);
  let servers: ShopServers;
  const databases: TestDatabase[] = [];
  const programs = new Map<ModuleName, Program>();
  const network = ownAddresses(MODULE_NAMES.length);
  const addresses = new Map(MODULE_NAMES.map((name, index) => [name, network[index] ?? '']));
  const addressOf = (name: ModuleName): string => addresses.get(name) ?? '';
  const mails = (): string => join(servers.scratch, 'mails');

  const start = (args: readonly string[], settings: Readonly<Record<string, string>>): Parameters<typeof startProgram>[0] => ({
    command: process.execPath,
    args: [MESH, ...args],
    // Away from the clone, where a shop of its developer may run.
    cwd: servers.scratch,
    scratch: servers.scratch,
    env: { ...servers.environment, ...settings },
  });

  before(async function () {
    if (!hasOwnAddresses) this.skip();
    servers = await startShopServers();
    const events = await createTestDatabase();
    databases.push(events);
    for (const name of MODULE_NAMES) {
      const database = await createTestDatabase();
      databases.push(database);
      const settings = { MESH_ADVERTISE: addressOf(name), [databaseSetting(name)]: database.url, MESH_EVENTS_URL: events.url, MESH_MAIL_DIR: mails() };
      programs.set(name, startProgram(start(['serve', name], settings)));
    }
    await Promise.all([...programs.values()].map(({ firstLine }) => firstLine));
  });
  after(async () => {
    await Promise.all([...programs.values()].map((program) => program.stop()));
    await Promise.all(databases.map((database) => database.drop()));
    await servers?.stop();
  });

  for (const name of MODULE_NAMES) {
    it(`${name} listens where it is told, and nowhere else`, async () => {
      expect(await listeningOf(programs.get(name)?.pid ?? 0)).to.deep.equal([`${addressOf(name)}:${MODULES[name]}`]);
    });

    it(`${name} is registered under that address`, async () => {
      expect(await healthyInstances(servers.agent, name)).to.deep.equal([{ address: addressOf(name), port: MODULES[name] }]);
    });
  }

  it('find one another there: an order goes through all of them', async () => {
    const call: MeshCall = (method, request, ...flags) => runProgram(start(['call', method, request, '--json', ...flags], {}));
    const order: PlacedOrder = await placeFirstOrder(call, await signUp(call, mails()));
    expect(order.state).to.equal('ORDER_STATE_CONFIRMED');
    const ledger = await servers.cards.ledger(order.orderId);
    expect(ledger.map(({ kind, amountMinor }) => [kind, amountMinor])).to.deep.equal([['capture', 6000n]]);
  });

  it('take a host name as well, as containers do', async () => {
    const url = databases[0]?.url ?? '';
    const settings = { MESH_ADVERTISE: 'localhost', DATABASE_URL: url };
    const program = startProgram(start(['serve', 'user', '--port', '0', '--json'], settings));
    const [served] = JSON.parse(await program.firstLine) as [{ address: string; port: number }];
    const { address } = await lookup('localhost');
    expect(served.address).to.equal(address);
    expect(await healthyInstances(servers.agent, 'user')).to.deep.include({ address, port: served.port });
    expect(await program.stop()).to.equal(0);
  });

  it('are gone from the registry when they have stopped, with exit code 0', async () => {
    for (const [name, program] of programs) {
      expect(await program.stop(), program.output()).to.equal(0);
      expect(await healthyInstances(servers.agent, name)).to.deep.equal([]);
    }
  });
});
