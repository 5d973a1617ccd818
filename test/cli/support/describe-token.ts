import { expect } from 'chai';

import { AccountService } from '#proto/shop/user/v1/account_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { expectRefusal } from '../../database/expect-refusal.ts';
import { callDirectly } from '../../mesh/support/direct.ts';
import { meshHere } from './in-process.ts';
import type { Finished } from './mesh-command.ts';
import { ps } from './shop-commands.ts';
import type { ShopFolder } from './shop-folder.ts';

const ORDERS = ['order.ListOrders', '{"userId":"demo"}'];

/** What `mesh token` and `--as` promise, against a shop that runs with the demo data. */
export function describeToken(folder: () => ShopFolder): void {
  const here = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Finished> => meshHere(args, { ...folder().environment, ...more });

  describe('mesh token', () => {
    it('prints a token and nothing else, which other clients send', async () => {
      const { exitCode, stdout, stderr } = await here(['token', '--as', 'demo']);
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
      expect(stdout).to.match(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
      expect((await here(['call', ...ORDERS, '-H', `authorization: Bearer ${stdout.trim()}`])).exitCode).to.equal(0);
    });

    it('tells programs whose it is, and until when it is good: 5 minutes', async () => {
      const { userId, expireTime, accessToken } = JSON.parse((await here(['token', '--as', 'staff', '--json'])).stdout) as Readonly<Record<string, string>>;
      expect(userId).to.equal('staff');
      expect(accessToken).to.match(/^ey/);
      expect(Date.parse(expireTime ?? '') - Date.now()).to.be.within(60_000, 301_000);
    });

    it('opens to its owner what the plaintext port keeps from others, and nothing that is for services', async () => {
      const token = (await here(['token', '--as', 'demo'])).stdout.trim();
      const headers = { authorization: `Bearer ${token}` };
      const explorer = callDirectly((await ps(folder().environment)).find(({ service }) => service === 'user')?.port ?? 0);
      const users = explorer.client(UserService);
      expect((await users.getUser({ userId: 'demo' }, { headers })).user).to.include({ email: 'demo@example.com' });
      await expectRefusal('SIGN_IN_REQUIRED', users.getUser({ userId: 'demo' }));
      await expectRefusal('NOT_THE_OWNER', users.getUser({ userId: 'staff' }, { headers }));
      await expectRefusal('SERVICES_ONLY', explorer.client(AccountService).listRevocations({}, { headers }));
      await explorer.stop();
    });

    it('asks for somebody', async () => {
      expect((await here(['token'])).exitCode).to.equal(2);
    });
  });

  describe('--as an address', () => {
    it('takes the password from MESH_PASSWORD', async () => {
      const { exitCode, stderr } = await here(['call', '--as', 'demo@example.com', ...ORDERS], { MESH_PASSWORD: 'demo-password' });
      expect(exitCode, stderr).to.equal(0);
    });

    it('says no more of a wrong password than of an address that nobody has, and repeats neither', async () => {
      const wrong = await here(['call', '--as', 'demo@example.com', ...ORDERS], { MESH_PASSWORD: 'not-the-password' });
      const nobody = await here(['call', '--as', 'nobody@example.com', ...ORDERS], { MESH_PASSWORD: 'not-the-password' });
      expect(wrong).to.deep.equal(nobody);
      expect(wrong.stderr).to.contain('(UNAUTHENTICATED, INVALID_CREDENTIALS)').and.not.contain('not-the-password');
    });
  });
}
