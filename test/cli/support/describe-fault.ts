import { expect } from 'chai';

import type { Shop } from '../../shop/shop-fixture.ts';
import { eventually } from './eventually.ts';
import { meshHere } from './in-process.ts';
import type { Finished } from './mesh-command.ts';
import { inherited } from './shop-folder.ts';

/** What `mesh fault` does to a shop that runs with `MESH_FAULTS=true`. */
export function describeFault(shopOf: () => Shop): void {
  describe('mesh fault, on a running shop', function () {
    this.timeout(60_000);
    this.slow(10_000);
    const here = (...args: string[]): Promise<Finished> => meshHere(args, { ...inherited(), ...shopOf().environment });
    const asStaff = async (): Promise<string> => `authorization: Bearer ${await shopOf().tokenOf('somebody', 'staff')}`;
    /** The reason of an answer to a question that is always refused. */
    async function answer(): Promise<string> {
      const { stderr } = await here('call', 'payment.GetPayment', '{"orderId":"nobody-has-it"}', '-H', await asStaff(), '--json');
      return (JSON.parse(stderr) as { error: { reason: string } }).error.reason;
    }
    const answers = (reason: string) => eventually(`the answer is ${reason}`, async () => (await answer()) === reason);
    const faultLines = async () => (await here('ps')).stdout.split('\n').filter((line) => line.startsWith('fault in '));

    it('fails the calls it is ordered for, is shown in mesh ps, and ends when it is cleared', async () => {
      expect(await answer()).to.equal('PAYMENT_NOT_FOUND');
      const { exitCode, stderr } = await here('fault', 'payment.GetPayment', '--abort', 'UNAVAILABLE', '--delay', '10ms', '--for', '5m');
      expect(exitCode, stderr).to.equal(0);
      await answers('FAULT_INJECTED');
      const [only, ...others] = await faultLines();
      expect(others).to.deep.equal([]);
      expect(only).to.match(/^fault in payment\.GetPayment: every call waits 10 ms and fails with UNAVAILABLE, for (5|4) min more \(\S+\)$/);
      await here('fault', 'clear', 'payment.GetPayment');
      await answers('PAYMENT_NOT_FOUND');
      expect(await faultLines()).to.deep.equal([]);
    });

    it('names the header where that has asked for the failure, not a list in which it is not', async () => {
      const { stderr } = await here('call', 'payment.GetPayment', '{"orderId":"nobody-has-it"}', '-H', await asStaff(), '-H', 'mesh-fault: abort=UNAVAILABLE');
      expect(stderr).to.include('failed on purpose: its own header mesh-fault asked for it (UNAVAILABLE, FAULT_INJECTED)').and.not.include('fault list');
    });
  });
}
