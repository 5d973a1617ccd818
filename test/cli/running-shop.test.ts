import { expect } from 'chai';

import { MODULE_NAMES } from '#modules';

import { isRunning } from '../../cli/local/running.ts';
import { freePort } from '../backends/free-port.ts';
import { describeCall } from './support/describe-call.ts';
import { describeDoctor } from './support/describe-doctor.ts';
import { describeLogs } from './support/describe-logs.ts';
import { describePs } from './support/describe-ps.ts';
import { describeScale } from './support/describe-scale.ts';
import { describeToken } from './support/describe-token.ts';
import { eventually } from './support/eventually.ts';
import { meshHere } from './support/in-process.ts';
import { type Finished, mesh, type RunningCommand, startMesh } from './support/mesh-command.ts';
import { call, placeOrder, ps, SERVICES } from './support/shop-commands.ts';
import { makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

// One for all that looks at a shop with a process for each service: each part leaves it as it was.
describe('a shop that runs in the background', function () {
  this.timeout(60_000);
  this.slow(5_000);

  let folder: ShopFolder;
  let started: Finished;
  before(async () => {
    // A port that is set, as most are: a second instance has to find another one.
    folder = await makeShopFolder({ MESH_PORT_INVENTORY: String(await freePort()), MESH_LOG_LEVEL: 'info' });
    await folder.layCluster();
    started = await mesh(['up', '--detach', '--demo', '--json'], folder);
  });
  after(async () => {
    await meshHere(['down'], folder.environment);
    expect(await folder.leftOvers()).to.deep.equal([]);
    await folder.remove();
  });

  const here = (...args: string[]): Promise<Finished> => meshHere(args, folder.environment);

  describe('mesh up --detach', () => {
    it('returns when everything is ready, with the status', async () => {
      expect(started).to.include({ exitCode: 0, stderr: '' });
      const status = JSON.parse(started.stdout) as { pid: number; topology: string; processes: { name: string; state: string; pid: number }[] };
      expect(status.topology).to.equal('micro');
      expect(status.processes.map(({ name, state }) => `${name} ${state}`).sort()).to.deep.equal(SERVICES.map((name) => `${name} ready`));
      expect([status.pid, ...status.processes.map(({ pid }) => pid)].every(isRunning)).to.equal(true);
      expect((await ps(folder.environment)).every(({ healthy }) => healthy)).to.equal(true);
    });

    it('refuses a second one on the same data, in the background or not, and leaves the first alone', async () => {
      for (const args of [['up', '--detach'], ['up']]) {
        const { exitCode, stderr } = await mesh(args, folder);
        expect(exitCode).to.equal(1);
        expect(stderr).to.match(/^error: the shop is running already \(process \d+\); see `npx mesh ps`, or stop it with `npx mesh down` \(FAILED_PRECONDITION, ALREADY_RUNNING\)$/m);
      }
      expect(await ps(folder.environment)).to.have.length(SERVICES.length);
    });
  });

  // First, since the sample order is to be the last.
  describeLogs(() => folder);

  describePs(() => folder);

  describeCall(() => folder);

  describeDoctor(() => folder);

  describeScale(() => folder);

  describeToken(() => folder);

  describe('mesh serve, in another terminal', () => {
    let second: RunningCommand;
    before(async () => {
      second = startMesh(['serve', 'inventory'], folder, folder.root);
      await second.untilPrinted(/^registered with http:\/\/127\.0\.0\.1:\d+; Ctrl-C stops it$/m);
    });

    it('finds the shop by itself, takes a port of its own, and is registered', async () => {
      const port = Number(/^inventory serves on 127\.0\.0\.1:(\d+)$/m.exec(second.output())?.[1]);
      const instances = (await ps(folder.environment)).filter(({ service }) => service === 'inventory');
      expect(instances).to.have.length(2);
      expect(instances.every(({ healthy }) => healthy)).to.equal(true);
      expect(instances.find((instance) => instance.port === port)?.pid).to.satisfy(isRunning);
    });

    it('takes its share of the calls, on the shop\'s own data', async () => {
      const { jaegerUrl } = JSON.parse(started.stdout) as { jaegerUrl: string };
      await eventually('both instances have served', async () => {
        await call(folder.environment, 'inventory.GetStock', { productId: 'grinder' });
        return (await servingInstances(jaegerUrl, 'inventory')).size === 2;
      });
    });

    it('stops at Ctrl-C: no longer registered, and no call is lost', async () => {
      second.killGroup('SIGINT');
      const { exitCode } = await second.finished;
      expect(exitCode).to.equal(0);
      expect((await ps(folder.environment)).filter(({ service }) => service === 'inventory')).to.have.length(1);
      expect((await placeOrder(folder.environment)).state).to.equal('ORDER_STATE_CONFIRMED');
    });

    it('refuses to take another port than it is told', async () => {
      const port = folder.environment['MESH_PORT_INVENTORY'] ?? '';
      const { exitCode, stderr } = await mesh(['serve', 'inventory', '--port', port], folder);
      expect(exitCode).to.equal(1);
      expect(stderr).to.match(new RegExp(`error: port ${port} on 127\\.0\\.0\\.1 is taken; inventory needs it: .*MESH_PORT_INVENTORY`));
    });

    it('started by an older Node ends with it, however that ends', async () => {
      const third = startMesh(['serve', 'user'], { ...folder, onOldNode: true }, folder.root);
      await third.untilPrinted(/^user serves on /m);
      const users = async (): Promise<number> => (await ps(folder.environment)).filter(({ service }) => service === 'user').length;
      expect(await users()).to.equal(2);
      third.kill('SIGKILL');
      await eventually('it has taken its leave', async () => (await users()) === 1);
      await third.finished;
    });

    it('refuses a service that is not there, with those that are', async () => {
      const { exitCode, stderr } = await here('serve', 'invntory');
      expect(exitCode).to.equal(1);
      expect(stderr).to.include(`there is no service invntory; did you mean inventory? (the services are ${MODULE_NAMES.join(', ')})`);
    });

    it('refuses one port for two services', async () => {
      const { exitCode, stderr } = await here('serve', 'order', 'payment', '--port', '6000');
      expect(exitCode).to.equal(1);
      expect(stderr).to.include('--port is for one service; for several set MESH_PORT_ORDER, MESH_PORT_PAYMENT');
    });
  });

  describe('mesh migrate', () => {
    it('finds the shop\'s databases by itself', async () => {
      const { exitCode, stdout } = await here('migrate', '--json');
      expect(exitCode).to.equal(0);
      expect(JSON.parse(stdout)).to.deep.equal(Object.fromEntries([...MODULE_NAMES, 'event_log'].map((name) => [name, []])));
    });
  });

  describe('mesh down', () => {
    it('stops it, and returns when nothing of it is left', async () => {
      const { pid } = JSON.parse(started.stdout) as { pid: number };
      const { exitCode, stdout } = await here('down', '--json');
      expect(exitCode).to.equal(0);
      expect(JSON.parse(stdout)).to.deep.equal({ stopped: pid });
      expect(await folder.leftOvers()).to.deep.equal([]);
    });

    it('says when there is nothing to stop', async () => {
      const { exitCode, stderr } = await here('down');
      expect(exitCode).to.equal(1);
      expect(stderr).to.equal(`error: no shop runs on ${folder.dataDir}; start one with \`npx mesh up\` (FAILED_PRECONDITION, NOT_RUNNING)\n`);
    });
  });
});

/** Ids of the instances whose server spans a trace backend has. */
async function servingInstances(jaegerUrl: string, service: string): Promise<ReadonlySet<string>> {
  const response = await fetch(`${jaegerUrl}/api/traces?service=${service}&limit=50`);
  const { data } = (await response.json()) as { data: { processes: Record<string, { serviceName: string; tags: { key: string; value: string }[] }> }[] };
  const processes = data.flatMap((trace) => Object.values(trace.processes)).filter(({ serviceName }) => serviceName === service);
  return new Set(processes.flatMap(({ tags }) => tags.filter(({ key }) => key === 'service.instance.id').map(({ value }) => value)));
}
