import { expect } from 'chai';

import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { expectRefusal } from '../database/expect-refusal.ts';
import { serveAlone, type ServiceAlone } from '../new-service/serve-alone.ts';

describe('the user service', function () {
  this.timeout(20_000);
  let alone: ServiceAlone<typeof UserService>;
  before(async () => {
    alone = await serveAlone('user', UserService);
  });
  after(() => alone?.stop());

  const wanted = { userId: 'first', email: 'first@example.com', displayName: 'First' };

  it('creates a user once, also when it is asked twice at the same time, and again later', async () => {
    const [one, other] = await Promise.all([alone.client.createUser(wanted), alone.client.createUser(wanted)]);
    expect(one.user).to.deep.include(wanted).and.deep.equal(other.user);
    expect((await alone.client.createUser(wanted)).user).to.deep.equal(one.user);
  });

  it('refuses other content under an id that is taken', async () => {
    await expectRefusal('USER_EXISTS', alone.client.createUser({ ...wanted, displayName: 'Second' }));
  });

  it('gives an id to a user that comes without one, and finds it by that', async () => {
    const { user } = await alone.client.createUser({ ...wanted, userId: '' });
    expect(user?.userId).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect((await alone.client.getUser({ userId: user?.userId ?? '' })).user).to.deep.equal(user);
  });

  it('says that there is no user of an id', async () => {
    const { code, metadata } = await expectRefusal('USER_NOT_FOUND', alone.client.getUser({ userId: 'nobody' }));
    expect({ code, metadata }).to.deep.equal({ code: 'NOT_FOUND', metadata: { user_id: 'nobody' } });
  });

  it('lists every user, page after page, by id', async () => {
    for (const userId of ['a', 'b', 'c', 'd']) await alone.client.createUser({ ...wanted, userId });
    const { users: all } = await alone.client.listUsers({});
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await alone.client.listUsers({ pageSize: 2, pageToken });
      expect(page.users).to.have.length.within(1, 2);
      seen.push(...page.users.map(({ userId }) => userId));
      pageToken = page.nextPageToken;
    } while (pageToken);
    expect(seen).to.include.members(['a', 'b', 'c', 'd', 'first']).and.deep.equal(all.map(({ userId }) => userId).toSorted());
  });

  it('names the field that breaks the contract', async () => {
    const { violations } = await expectRefusal('INVALID_ARGUMENT', alone.client.createUser({ ...wanted, displayName: '' }));
    expect(violations.map(({ field }) => field)).to.deep.equal(['display_name']);
  });
});
