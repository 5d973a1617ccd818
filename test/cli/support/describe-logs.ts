import { expect } from 'chai';

import { MODULE_NAMES } from '#modules';

import { eventually } from './eventually.ts';
import { meshHere } from './in-process.ts';
import { type RunningCommand, startMesh } from './mesh-command.ts';
import { placeOrder, ps, SERVICES } from './shop-commands.ts';
import type { ShopFolder } from './shop-folder.ts';

/** What `mesh logs` and `mesh trace` tell of a shop that has just come up with the demo data, a process for each service, logging from `info` on. */
export function describeLogs(folder: () => ShopFolder): void {
  describe('mesh logs and mesh trace', () => {
    let following: RunningCommand | undefined;
    after(async () => {
      following?.kill('SIGKILL');
      await following?.finished;
      await eventually('each service has one instance, which is healthy', async () => {
        const instances = await ps(folder().environment);
        return instances.length === SERVICES.length && instances.every(({ healthy }) => healthy);
      });
    });

    async function here(...args: string[]): Promise<string> {
      const { exitCode, stdout, stderr } = await meshHere(args, folder().environment);
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
      return stdout;
    }

    it('show the sample order, whole, and what every process said when it came up', async () => {
      const trace = await here('trace', '--last');
      expect(trace).to.match(/^mesh-cli +sample order/m).and.include('Critical path, ').and.not.include('not complete');
      const lines = (await here('logs', '--json')).trim().split('\n').map((line) => JSON.parse(line) as { service: string; msg: string });
      expect(new Set(lines.map(({ service }) => service))).to.have.all.keys('mesh', ...MODULE_NAMES);
      expect(lines.filter(({ msg }) => msg === 'serving').map(({ service }) => service)).to.have.members(MODULE_NAMES);
    });

    it('are left as they were by whoever only looks', async () => {
      const traceId = async (): Promise<string> => (JSON.parse(await here('trace', '--last', '--json')) as { traceId: string }).traceId;
      const before = await traceId();
      const { sagas } = JSON.parse(await here('saga', 'list', '--json')) as { sagas: { sagaId: string }[] };
      const sagaId = sagas[0]?.sagaId ?? '';
      for (const looking of [['saga', 'show', sagaId], ['ps'], ['doctor']]) await here(...looking);
      expect(await traceId()).to.equal(before);
      expect((await meshHere(['saga', 'retry', sagaId, '--why', 'to see'], folder().environment)).stderr).to.include('SAGA_NOT_STUCK');
      expect(await here('trace', '--last'), 'a hand is no look').to.include('SagaService/RetrySaga');
    });

    it('show why an order took so long: in its trace, and in the lines that were written in it', async () => {
      following = startMesh(['logs', 'payment', '--follow', '-n', '0'], folder(), folder().root);
      process.kill((await ps(folder().environment)).find(({ service }) => service === 'payment')?.pid ?? 0, 'SIGKILL');
      const { orderId } = await placeOrder(folder().environment);
      await following.untilPrinted(/ payment +info +serving /);

      const trace = await here('trace', '--order', orderId);
      expect(trace).to.match(/✗ saga charge/).and.match(/^Errors:\n(.*\n)* {2}order {2}.*(NO_INSTANCE|UNREACHABLE|DEADLINE_EXCEEDED): /m);
      const traceId = /^trace (\w{32}):/.exec(trace)?.[1] ?? '';
      const lines = (await here('logs', '--trace', traceId)).trim().split('\n');
      expect(lines[0]).to.match(new RegExp(`^[0-9:.]{12} {2}order +warn +step failed .*trace_id=${traceId} span_id=[0-9a-f]{16}$`));
    });
  });
}
