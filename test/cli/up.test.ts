import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { freePort } from '../backends/free-port.ts';
import { eventually } from './support/eventually.ts';
import { meshHere } from './support/in-process.ts';
import { isListening, processesThatName } from './support/left-overs.ts';
import { type RunningCommand, startMesh } from './support/mesh-command.ts';
import { orderIds, placeOrder, ps, SERVICES } from './support/shop-commands.ts';
import { type Environment, makeShopFolder, type ShopFolder } from './support/shop-folder.ts';
import { expectOrderTrace, outline, readOrderTrace } from './support/shop-trace.ts';

describe('mesh up', function () {
  this.timeout(120_000);
  this.slow(20_000);

  let folder: ShopFolder;
  let shop: RunningCommand | undefined;
  before(async () => {
    // One port that is set, as all are by default: what comes back there must not be taken for what was there before.
    folder = await makeShopFolder({ MESH_PORT_INVENTORY: String(await freePort()) });
  });
  after(async () => {
    shop?.kill('SIGTERM');
    await shop?.finished;
    await folder?.remove();
  });

  async function start(args: readonly string[] = [], settings: Environment = {}): Promise<RunningCommand> {
    shop = startMesh(['up', '--demo', ...args], { environment: { ...folder.environment, ...settings } }, folder.root);
    await shop.untilPrinted('The shop is up. Ctrl-C stops it.');
    expect(shop.output()).to.not.include('the sample order failed');
    return shop;
  }

  /** Sends it a signal and waits for its end. */
  async function end(running: RunningCommand, send: () => void): Promise<number | null> {
    send();
    shop = undefined;
    return (await running.finished).exitCode;
  }

  async function traceShown(output: string): Promise<string> {
    const [, jaegerUrl = '', traceId = ''] = /^ {2}(http:\S+)\/api\/traces\/([0-9a-f]{32})/m.exec(output) ?? [];
    const tree = await readOrderTrace(jaegerUrl, traceId);
    expectOrderTrace(tree);
    return outline(tree.roots);
  }

  let firstOrders: readonly string[];
  let microTrace: string;

  describe('--demo, for the first time', () => {
    let running: RunningCommand;
    let addresses: readonly string[];
    let socketFolder: string;
    before(async () => {
      running = await start();
    });

    it('shows what it brings up, where that is, and when everything is ready', () => {
      expect(running.output()).to.match(/^shopmesh \d+\.\d+\.\d+, micro, everything kept in .*$/m).and.to.include(folder.dataDir);
      for (const name of ['consul', 'jaeger', 'stripe']) expect(running.output()).to.match(new RegExp(`^ {2}${name} +http://127.0.0.1:\\d+ \\(stand-in`, 'm'));
      expect(running.output()).to.match(/^ {2}postgres +making a new database$/m);
      for (const service of SERVICES) expect(running.output()).to.match(new RegExp(`^ {2}${service} +127.0.0.1:\\d+$`, 'm'));
      expect(running.output()).to.match(/^ {2}mail +\/\S*mail \(set SMTP_URL to send it\)$/m);
      expect(running.output()).to.match(/^ready in \d+\.\d\d s$/m);
    });

    it('writes demo data and places an order that is confirmed', async () => {
      expect(running.output()).to.include('wrote the demo data');
      expect(running.output()).to.include('"state": "ORDER_STATE_CONFIRMED"');
      firstOrders = await orderIds(folder.environment);
      expect(firstOrders).to.have.length(1);
      expect(running.output()).to.include(`"orderId": "${firstOrders[0]}"`);
    });

    it('shows one order through the services as one tree: each call once, no error, no parent missing', async () => {
      expect(running.output()).to.match(/^trace [0-9a-f]{32}: \d+ spans, 7 services, [\d.]+ m?s$/m);
      expect(running.output()).to.match(/^payment .*PaymentService\/Charge +[\d.]+ ms +[\d.]+ ms/m);
      microTrace = await traceShown(running.output());
    });

    it('says how to go on, with the addresses that are in use', async () => {
      const order = (await ps(folder.environment)).find(({ service }) => service === 'order');
      const address = `localhost:${order?.port}`;
      expect(running.output()).to.include(`grpcurl -plaintext ${address} list`);
      expect(running.output()).to.include(`grpcurl -plaintext ${address} describe shop.order.v1.OrderService.PlaceOrder`);
      expect(running.output()).to.include(`'{"order_id":"${firstOrders[0]}"}' ${address} shop.order.v1.OrderService/GetOrder`);
      expect(running.output()).to.include(`npx mesh call --as demo order.ListOrders '{"userId":"demo"}'`);
      // The token is in no command line, which others would see.
      expect(running.output()).to.include(`export TOKEN=$(npx mesh token --as demo)\n  grpcurl -plaintext -expand-headers -H 'authorization: Bearer \${TOKEN}'`);
      // Not everybody has grpcurl.
      expect(running.output().indexOf('npx mesh ')).to.be.lessThan(running.output().indexOf('With grpcurl, if you have it:'));
      expect(running.output().indexOf('With grpcurl, if you have it:')).to.be.lessThan(running.output().indexOf('grpcurl -plaintext'));
    });

    it('names the demo accounts as such, with their passwords', () => {
      expect(running.output()).to.match(/^Demo accounts, which are on this machine only:\n +demo +demo@example\.com +password demo-password +role customer\n +staff +staff@example\.com +password staff-password +role staff$/m);
    });

    it('runs each service in a process of its own, registered and healthy', async () => {
      const instances = await ps(folder.environment);
      expect(instances.map(({ service }) => service)).to.deep.equal(SERVICES);
      expect(instances.every(({ healthy }) => healthy)).to.equal(true);
      expect(new Set(instances.map(({ pid }) => pid)).size).to.equal(SERVICES.length);
    });

    it('keeps the control socket to its user', async () => {
      expect(((await stat(folder.controlSocket)).mode & 0o777).toString(8)).to.equal('600');
    });

    it('runs a service again that was killed with -9; it is registered once, and orders work', async () => {
      const before = await ps(folder.environment);
      const killed = before.find(({ service }) => service === 'inventory');
      process.kill(killed?.pid ?? 0, 'SIGKILL');
      await eventually('inventory is back', async () => {
        const now = (await ps(folder.environment)).filter(({ service }) => service === 'inventory');
        return now.length === 1 && now[0]?.healthy === true && now[0].pid !== undefined && now[0].id !== killed?.id;
      });
      expect(running.output()).to.match(/^ {2}inventory +was killed \(SIGKILL\); starting it again in 0\.\d s$/m);
      expect((await meshHere(['logs', '--level', 'warn'], folder.environment)).stdout).to.match(/inventory was killed \(SIGKILL\); starting it again in 0\.\d s/);
      expect((await ps(folder.environment)).map(({ service }) => service)).to.deep.equal(SERVICES);
      expect((await placeOrder(folder.environment)).state).to.equal('ORDER_STATE_CONFIRMED');
    });

    it('runs Postgres again that was killed with -9; the services reconnect, and orders work', async () => {
      const file = join(folder.dataDir, 'postgres', 'cluster', 'postmaster.pid');
      const lines = (await readFile(file, 'utf8')).split('\n');
      socketFolder = lines[4] ?? '';
      process.kill(Number(lines[0]), 'SIGKILL');
      await running.untilPrinted(/^ {2}postgres +ended; starting it again$/m);
      await eventually('an order goes through', async () => {
        const { exitCode } = await meshHere(['call', '--as', 'demo', 'order.ListOrders', '{"userId":"demo"}'], folder.environment);
        return exitCode === 0;
      });
      await eventually('every service is healthy', async () => (await ps(folder.environment)).every(({ healthy }) => healthy));
      expect((await placeOrder(folder.environment)).state).to.equal('ORDER_STATE_CONFIRMED');
    });

    it('stops everything in order at Ctrl-C, also when npm passes it on a second time, and leaves nothing', async () => {
      addresses = (await ps(folder.environment)).map(({ address, port }) => `${address}:${port}`);
      firstOrders = await orderIds(folder.environment);
      const exitCode = await end(running, () => {
        running.killGroup('SIGINT');
        running.kill('SIGINT');
      });
      expect(exitCode).to.equal(0);
      expect(running.output()).to.match(/stopping …\nstopped; the data stay where they are\n$/);
      expect(await folder.leftOvers()).to.deep.equal([]);
      expect(existsSync(socketFolder), 'the folder of Postgres\'s socket').to.equal(false);
      for (const address of addresses) expect(await isListening(address), address).to.equal(false);
    });
  });

  describe('again', () => {
    let logsBefore: string[] = [];

    function readServiceLogs(): Promise<string[]> {
      return Promise.all(SERVICES.map((service) => readFile(join(folder.dataDir, 'logs', `${service}.log`), 'utf8')));
    }

    it('finds the data as they were, and kill -9 leaves nothing running within seconds', async () => {
      const running = await start();
      expect(running.output()).to.include('the demo data are there already').and.not.include('making a new database');
      expect(await orderIds(folder.environment)).to.have.length(firstOrders.length + 1).and.include.members([...firstOrders]);
      expect(await end(running, () => running.kill('SIGKILL'))).to.equal(null);
      await eventually('no process of the shop is left', async () => (await processesThatName(folder.dataDir)).length === 0, 15_000);
    });

    it('repairs what the killed one has left: each service is registered once, and `mesh down` ends it', async () => {
      expect(existsSync(folder.controlSocket), 'a stale control socket').to.equal(true);
      const running = await start();
      const instances = await ps(folder.environment);
      expect(instances.map(({ service }) => service)).to.deep.equal(SERVICES);
      expect(instances.every(({ healthy }) => healthy)).to.equal(true);
      expect(await orderIds(folder.environment)).to.have.length(firstOrders.length + 2);

      logsBefore = await readServiceLogs();
      const down = await meshHere(['down'], folder.environment);
      expect(down).to.include({ exitCode: 0, stderr: '' });
      expect(down.stdout).to.match(/stopped in \d+\.\d\d s; the data stay in /);
      expect(await end(running, () => undefined)).to.equal(0);
      expect(await folder.leftOvers()).to.deep.equal([]);
    });

    it('had stopped the services before what they stand on: none complains in its log', async () => {
      const said = (await readServiceLogs()).map((log, index) => log.slice(logsBefore[index]?.length));
      expect(said.join('')).to.equal('');
    });
  });

  describe('--topology monolith', () => {
    it('runs all services in one process, with the same order and the same trace', async () => {
      const running = await start(['--topology', 'monolith'], { MESH_STOP_TIMEOUT: '1s' });
      expect(running.output()).to.match(/^shopmesh \S+, monolith,/m).and.to.include('"state": "ORDER_STATE_CONFIRMED"');
      const instances = await ps(folder.environment);
      expect(instances.map(({ service }) => service)).to.deep.equal(SERVICES);
      expect(new Set(instances.map(({ pid }) => pid)).size).to.equal(1);
      expect(await traceShown(running.output())).to.equal(microTrace);

      running.closeOutput();
      expect((await placeOrder(folder.environment)).state, 'with nobody reading what it prints').to.equal('ORDER_STATE_CONFIRMED');
    });

    it('kills a service that does not stop in time, and stops the rest when its terminal goes', async () => {
      const [instance] = await ps(folder.environment);
      process.kill(instance?.pid ?? 0, 'SIGSTOP');
      const running = shop as RunningCommand;
      expect(await end(running, () => running.killGroup('SIGHUP'))).to.equal(0);
      expect(await folder.leftOvers()).to.deep.equal([]);
    });
  });
});
