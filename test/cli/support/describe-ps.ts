import { expect } from 'chai';

import { eventually } from './eventually.ts';
import { meshHere } from './in-process.ts';
import { startMesh } from './mesh-command.ts';
import { SERVICES } from './shop-commands.ts';
import type { ShopFolder } from './shop-folder.ts';

interface Row {
  readonly kind: string;
  readonly service: string;
  readonly state: string;
  readonly pid?: number;
  readonly address?: string;
  readonly port?: number;
  readonly memoryBytes?: number;
  readonly calls?: number;
  readonly callsPerSecond?: number;
  readonly methods?: readonly { readonly method: string; readonly calls: number }[];
  readonly process?: string;
  readonly reason?: string;
}

/** What `mesh ps` promises, beside a shop that runs with one process for each service. */
export function describePs(folder: () => ShopFolder): void {
  describe('mesh ps', () => {
    async function ps(): Promise<readonly Row[]> {
      const { exitCode, stdout, stderr } = await meshHere(['ps', '--json'], folder().environment);
      expect(exitCode, stderr).to.equal(0);
      return JSON.parse(stdout) as Row[];
    }
    const rowsOf = async (service: string) => (await ps()).filter((row) => row.service === service);

    it('shows people a table that fits their terminal', async () => {
      const { exitCode, stdout } = await meshHere(['ps'], folder().environment);
      expect(exitCode).to.equal(0);
      const [head, ...rows] = stdout.trim().split('\n');
      expect(rows.pop()).to.match(/^version \d+\.\d+\.\d+, zone local$/);
      expect(head).to.match(/^SERVICE +INSTANCE +PROCESS +HEALTH +PID +UP +MEMORY +CALLS +CALLS\/S +ERR\/S$/);
      expect(rows).to.have.length(SERVICES.length);
      for (const [index, service] of SERVICES.entries()) {
        const row = new RegExp(`^${service} +127\\.0\\.0\\.1:\\d+ +${service} +passing +\\d+ +\\d+ s +\\d+ MB +\\d+ +[\\d.]+ +[\\d.]+$`);
        expect(rows[index]).to.match(row);
        expect(rows[index]?.length).to.be.at.most(110);
      }
    });

    it('counts the calls of each instance, in all and by method', async () => {
      const [before] = await rowsOf('inventory');
      for (let count = 0; count < 3; count += 1) await meshHere(['call', 'inventory.GetStock', '{"productId":"nobody-has-it"}'], folder().environment);
      const [after] = await rowsOf('inventory');
      expect((after?.calls ?? 0) - (before?.calls ?? 0)).to.equal(3);
      expect(after?.callsPerSecond).to.be.at.least(0.3);
      expect(after?.methods?.find(({ method }) => method.endsWith('/GetStock'))?.calls).to.be.at.least(3);
    });

    it('knows the process of an instance that another terminal runs', async () => {
      const second = startMesh(['serve', 'user'], folder(), folder().root);
      await second.untilPrinted(/^user serves on /m);
      const users = await rowsOf('user');
      expect(users.map(({ state }) => state)).to.deep.equal(['passing', 'passing']);
      expect(new Set(users.map(({ pid }) => pid)).size).to.equal(2);
      expect(users.map(({ process: name }) => name ?? 'of another terminal').sort()).to.deep.equal(['of another terminal', 'user']);
      expect(users.every(({ memoryBytes }) => (memoryBytes ?? 0) > 1e6)).to.equal(true);
      second.killGroup('SIGINT');
      await second.finished;
      expect(await rowsOf('user')).to.have.length(1);
    });

    it('shows a dash for what an instance does not say, and goes on', async () => {
      const [payment] = await rowsOf('payment');
      process.kill(payment?.pid ?? 0, 'SIGSTOP');
      const { stdout } = await meshHere(['ps'], folder().environment);
      process.kill(payment?.pid ?? 0, 'SIGCONT');
      const row = stdout.split('\n').find((line) => line.startsWith('payment'));
      expect(row).to.match(new RegExp(`^payment +127\\.0\\.0\\.1:${payment?.port} +payment +(passing|critical) +${payment?.pid} +\\d+ s +- +- +- +-$`));
      await eventually('it answers again', async () => (await rowsOf('payment'))[0]?.calls !== undefined);
    });

    it('shows a process that is run again as such until it is registered', async () => {
      let [shipping] = await rowsOf('shipping');
      process.kill(shipping?.pid ?? 0, 'SIGKILL');
      await eventually('it is down', async () => {
        const rows = await rowsOf('shipping');
        const [first] = rows;
        if (first?.state === 'passing' && first.pid !== shipping?.pid) {
          // It was back before anybody looked; the next time it is away for longer.
          shipping = first;
          process.kill(first.pid ?? 0, 'SIGKILL');
        }
        return rows.some(({ process: name, state, reason }) => name === 'shipping' && state === 'restarting' && reason === 'was killed (SIGKILL)');
      });
      await eventually('it is back', async () => {
        const rows = await rowsOf('shipping');
        return rows.length === 1 && rows[0]?.state === 'passing' && rows[0].pid !== shipping?.pid;
      });
    });
  });
}
