import { expect } from 'chai';

import { refusal } from '#kit';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { type Transport, useFleet } from '../support/fleet.ts';
import { failureOf, readable } from '../support/outcome.ts';

/** What a caller gets: the answer, or the error without what lies below it. */
export function answers(transport: Transport): void {
  describe('an answer', () => {
    const fleet = useFleet(transport);

    it('is what the handler returned', async () => {
      await fleet().host(UserService, () => ({ getUser: async ({ userId }) => ({ user: { userId, email: 'ada@example.org' } }) }));
      const { user } = await fleet().client(UserService).getUser({ userId: 'demo' });
      expect(user).to.include({ userId: 'demo', email: 'ada@example.org', displayName: '' });
    });

    it('does not disturb others that are on the way', async () => {
      await fleet().host(UserService, () => ({ getUser: async ({ userId }) => ({ user: { userId } }) }));
      const ids = Array.from({ length: 200 }, (_, index) => `user-${index}`);
      const users = fleet().client(UserService);
      const found = await Promise.all(ids.map((userId) => users.getUser({ userId })));
      expect(found.map(({ user }) => user?.userId)).to.deep.equal(ids);
    });
  });

  describe('an error', () => {
    const fleet = useFleet(transport);

    /** What the caller sees when the handler throws `thrown`. */
    async function answerTo(thrown: unknown) {
      await fleet().host(UserService, () => ({ getUser: () => Promise.reject(thrown) }));
      return failureOf(fleet().client(UserService).getUser({ userId: 'demo' }));
    }

    it('keeps its code, reason, sentence, metadata and violations, and loses its cause', async () => {
      const details = { metadata: { user_id: 'demo' }, violations: [{ field: 'user_id', description: 'is nobody’s' }] };
      const seen = await answerTo(refusal('USER_NOT_FOUND', 'there is no user demo; räumen Sie auf\n100 %', { ...details, cause: new Error('row 7') }));
      expect(readable(seen)).to.deep.equal({ code: 'NOT_FOUND', reason: 'USER_NOT_FOUND', ...details });
      expect(seen.message).to.equal('there is no user demo; räumen Sie auf\n100 %');
      expect(seen.cause).to.equal(undefined);
      expect(fleet().log).to.deep.equal([]);
    });

    for (const [what, thrown] of [
      ['a bug', new TypeError('secret is not a function')],
      ['a string', 'secret'],
      ['nothing', undefined],
    ]) {
      it(`that is ${String(what)} is INTERNAL to the caller, and logged once with its cause`, async () => {
        const seen = await answerTo(thrown);
        expect(readable(seen)).to.deep.equal({ code: 'INTERNAL', reason: 'INTERNAL', metadata: {}, violations: [] });
        expect(JSON.stringify([seen.message, seen.stack, seen.cause])).not.to.contain('secret');
        expect(fleet().log).to.have.length(1);
        expect(fleet().log[0]).to.include({ level: 'error', method: 'shop.user.v1.UserService/GetUser' });
        if (thrown) expect(JSON.stringify(fleet().log[0])).to.contain('secret');
      });
    }

    it('with half a character in its sentence arrives all the same', async () => {
      const seen = await answerTo(refusal('USER_NOT_FOUND', 'no user \ud83d; choose another'));
      expect(seen.reason).to.equal('USER_NOT_FOUND');
    });

    it('with a sentence of any length keeps its code and reason', async () => {
      const seen = await answerTo(refusal('USER_NOT_FOUND', `there is no user ${'ü'.repeat(1_000_000)}`));
      expect(seen).to.include({ code: 'NOT_FOUND', reason: 'USER_NOT_FOUND' });
      expect(seen.message).to.match(/^there is no user ü/);
    });

    it('of a service further down is passed on as that one gave it', async () => {
      await fleet().host(UserService, () => ({
        getUser: () => Promise.reject(refusal('UNREACHABLE', 'the user directory could not be reached', { metadata: { host: 'ldap' } })),
      }));
      const seen = await failureOf(fleet().client(UserService).getUser({ userId: 'demo' }));
      expect(readable(seen)).to.deep.equal({ code: 'UNAVAILABLE', reason: 'UNREACHABLE', metadata: { host: 'ldap' }, violations: [] });
      expect(seen.message).to.equal('the user directory could not be reached');
    });
  });
}
