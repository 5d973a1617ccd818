import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import type { ProcessStatus, RunInstance } from '../../../cli/local/control-messages.ts';
import { askSupervisor, tellToScale } from '../../../cli/local/control-socket.ts';
import { eventually } from './eventually.ts';
import { meshHere } from './in-process.ts';
import type { Finished } from './mesh-command.ts';
import { occupyPort } from './occupied-port.ts';
import * as commands from './shop-commands.ts';
import type { ShopFolder } from './shop-folder.ts';
import { startCalls } from './steady-calls.ts';

/** What `mesh scale` does to a shop that runs with one process for each service, `MESH_PORT_INVENTORY` set. It leaves one instance of each. */
export function describeScale(folder: () => ShopFolder): void {
  describe('mesh scale', () => {
    let port: number;
    before(() => {
      port = Number(folder().environment['MESH_PORT_INVENTORY']);
    });
    after(() => scale('inventory=1', 'user=1'));

    const here = (...args: string[]): Promise<Finished> => meshHere(args, folder().environment);
    const scale = (...args: string[]): Promise<readonly RunInstance[]> => commands.scale(folder().environment, ...args);
    const registered = (service: string) => commands.registered(folder().environment, service);
    const namesOf = (instances: readonly RunInstance[]): string[] => instances.map(({ process }) => process);

    async function statusOf(name: string): Promise<ProcessStatus | undefined> {
      const status = await askSupervisor(folder().controlSocket);
      return status?.processes.find((process) => process.name === name);
    }

    it('returns when so many instances serve: the first on its port, the others on free ones, all registered', async () => {
      const instances = await scale('inventory', '3');
      expect(namesOf(instances)).to.deep.equal(['inventory', 'inventory-2', 'inventory-3']);
      expect(new Set(instances.map(({ pid }) => pid)).size).to.equal(3);
      expect(instances[0]?.port).to.equal(port);
      expect(new Set(instances.map((instance) => instance.port)).size).to.equal(3);
      const listed = await registered('inventory');
      expect(listed.map(({ id }) => id)).to.have.members(instances.map(({ id }) => id));
      expect(listed.every(({ healthy }) => healthy)).to.equal(true);
    });

    it('shows people where they are', async () => {
      const { exitCode, stdout } = await here('scale', 'inventory=3', 'user=2');
      expect(exitCode).to.equal(0);
      // On a busy machine it says first, every 2 s, what it waits for.
      const [head, ...rows] = stdout.trim().split('\n').filter((line) => !line.startsWith('…'));
      expect(head).to.match(/^SERVICE +ADDRESS +PROCESS +PID$/);
      const names = ['inventory', 'inventory-2', 'inventory-3', 'user', 'user-2'];
      expect(rows).to.have.length(names.length);
      for (const [index, name] of names.entries()) expect(rows[index]).to.match(new RegExp(`^\\w+ +127\\.0\\.0\\.1:\\d+ +${name} +\\d+$`));
    });

    it('takes instances away, the last ones first, and adds some, without the loss of a call', async () => {
      const calls = await startCalls(folder().controlSocket);
      await calls.untilAnswered(200);
      for (const count of ['1', '4', '2', '1']) {
        await scale('inventory', count);
        await calls.untilAnswered(200);
      }
      const { failures } = await calls.stop();
      expect(failures.length, failures.slice(0, 3).join('; ')).to.equal(0);
      expect((await registered('inventory')).map((instance) => instance.port)).to.deep.equal([port]);
    });

    it('has an instance that is killed with -9 run again, under its name', async () => {
      const [, killed] = await scale('inventory', '2');
      process.kill(killed?.pid ?? 0, 'SIGKILL');
      await eventually('inventory-2 is back', async () => {
        const now = await statusOf('inventory-2');
        return now?.state === 'ready' && now.pid !== killed?.pid && !now.instances.includes(killed?.id ?? '');
      });
      expect(await registered('inventory')).to.have.length(2);
      expect(namesOf(await scale('inventory', '2'))).to.deep.equal(['inventory', 'inventory-2']);
    });

    it('given twice at once, does one after the other', async () => {
      const toScale = (user: number) => tellToScale(folder().controlSocket, { counts: { user }, allowNone: false }, AbortSignal.timeout(30_000));
      const outcomes = await Promise.all([toScale(1), toScale(3)]);
      expect(outcomes.map((answer) => answer?.instances.length)).to.deep.equal([1, 3]);
      expect(await registered('user')).to.have.length(3);
    });

    const refused: readonly { readonly args: readonly string[]; readonly says: string }[] = [
      { args: ['invntory', '2'], says: 'there is no service invntory; did you mean inventory?' },
      { args: ['inventory'], says: 'how many instances of inventory? Write it like inventory 3, or inventory=3' },
      { args: ['inventory', 'many'], says: 'how many instances of inventory?' },
      { args: ['inventory', '17'], says: 'inventory can have 1 to 16 instances here, not 17' },
      { args: ['inventory=1', 'inventory=2'], says: 'inventory is named twice' },
      { args: ['inventory', '0'], says: 'without an instance of inventory every call to it fails; if that is what you want, add --allow-none' },
    ];
    for (const { args, says } of refused) {
      it(`refuses \`mesh scale ${args.join(' ')}\`, and changes nothing`, async () => {
        const before = await askSupervisor(folder().controlSocket);
        const { exitCode, stdout, stderr } = await here('scale', ...args);
        expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
        expect(stderr).to.include(says).and.match(/\((INVALID_ARGUMENT|NOT_FOUND, UNKNOWN_SERVICE)\)$/m);
        expect(await askSupervisor(folder().controlSocket)).to.deep.equal(before);
      });
    }

    it('stops the last instance when that is meant, and starts it again on its port', async () => {
      expect(await scale('inventory', '0', '--allow-none')).to.deep.equal([]);
      expect(await registered('inventory')).to.deep.equal([]);
      const [back] = await scale('inventory', '1');
      expect(back).to.include({ process: 'inventory', port });
    });

    it('gives up an instance that cannot start, says why, and tries it again when told to', async () => {
      await scale('inventory', '0', '--allow-none');
      const foreign = await occupyPort(port);
      const { exitCode, stdout, stderr } = await here('scale', 'inventory', '1');
      expect(exitCode).to.equal(1);
      expect(stdout, 'meanwhile').to.match(/^ {2}… \d+\.\d\d s: inventory restarting \(could not start: port /m);
      expect(stderr).to.match(new RegExp(`^error: inventory does not serve: could not start: port ${port} on 127\\.0\\.0\\.1 is taken; .*MESH_PORT_INVENTORY.* \\(INTERNAL, START_FAILED\\)$`, 'm'));
      const status = await statusOf('inventory');
      expect(status).to.include({ state: 'given-up' });
      expect(status && 'reason' in status && status.reason).to.include(`port ${port} on 127.0.0.1 is taken`);
      const told = await readFile(join(folder().dataDir, 'logs', 'up.log'), 'utf8');
      expect(told).to.match(/^ {2}inventory +could not start: .*; starting it again in 0\.\d s$/m);
      expect(told).to.match(/^ {2}inventory +could not start: .*; given up after 5 starts that failed: mend it, then `npx mesh scale inventory 1` tries again$/m);

      await foreign.close();
      expect(namesOf(await scale('inventory', '1'))).to.deep.equal(['inventory']);
      expect(await statusOf('inventory')).to.include({ state: 'ready' });
    });
  });
}
