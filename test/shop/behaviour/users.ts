import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { newUser, refusalOf } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';

/** What the user service promises. */
export function describeUsers(shopOf: () => Shop): void {
  describe('a user', () => {
    it('created twice with the same content is one; with other content it is refused', async () => {
      const shop = shopOf();
      const user = { userId: `u-${randomUUID()}`, email: 'a@example.com', displayName: 'A' };
      expect((await shop.users.createUser(user)).user).to.deep.equal((await shop.users.createUser(user)).user);
      const error = await refusalOf(shop.users.createUser({ ...user, displayName: 'B' }));
      expect(error).to.deep.include({ code: 'ALREADY_EXISTS', reason: 'USER_EXISTS' });
    });

    it('is listed, page after page', async () => {
      const shop = shopOf();
      const mine = [await newUser(shop), await newUser(shop), await newUser(shop)];
      const seen: string[] = [];
      let pageToken = '';
      do {
        const page = await shop.users.listUsers({ pageSize: 2, pageToken });
        seen.push(...page.users.map(({ userId }) => userId));
        pageToken = page.nextPageToken;
      } while (pageToken);
      expect(seen).to.include.members(mine);
      expect(seen).to.deep.equal([...new Set(seen)].sort());
    });
  });
}
