import { once } from 'node:events';

import { expect } from 'chai';

import { MeshError, silentLog, systemClock } from '#kit';
import { type AccessToken, createAuthorization } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { until } from '../../database/until.ts';
import { createFleet, type Fleet, type Transport } from '../support/fleet.ts';
import { createRuledClock } from '../support/ruled-clock.ts';
import { as, createPeople, type People } from './people.ts';

const TRANSPORTS: readonly Transport[] = ['local', 'fidelity', 'remote', 'mtls'];
const MINUTE_MS = 60_000;
/** Longer than a token lives. */
const DEADLINE_MS = 60 * MINUTE_MS;

describe('a stream of somebody who is signed in', () => {
  let people: People;
  before(async () => {
    people = await createPeople();
  });

  for (const transport of TRANSPORTS) {
    describe(`of ${transport} calls`, () => {
      let fleet: Fleet;
      let clock: ReturnType<typeof createRuledClock>;
      let voided: Set<string>;
      let looks: number;
      let handlersLeft: number;
      let stop: () => Promise<void>;

      /** `isWatched`: the guard is on. */
      async function start({ isWatched = true } = {}): Promise<void> {
        clock = createRuledClock(systemClock.now());
        voided = new Set();
        looks = 0;
        handlersLeft = 0;
        const sleep: typeof clock.sleep = async (_, signal) => {
          await systemClock.sleep(5, signal);
          looks += 1;
        };
        const isRevoked = ({ userId }: AccessToken): boolean => isWatched && voided.has(userId);
        const authorization = createAuthorization({ verify: people.verify, isRevoked, clock: { ...clock, sleep }, log: silentLog });
        fleet = createFleet(transport, { guards: (method) => [authorization.link(method)] });
        await fleet.host(OrderService, () => ({
          getOrder: async ({ orderId }) => ({ order: { orderId, userId: 'ada' } }),
          async *watchOrder(_, { ownership, signal, user }) {
            ownership?.require(user?.userId ?? '');
            yield { sequence: 1n };
            await once(signal, 'abort');
            handlersLeft += 1;
          },
        }));
        stop = async () => {
          await fleet.stop();
          await authorization.stop();
        };
      }
      afterEach(() => stop());

      /** Has its first message; resolves with why it ends. */
      async function watch(userId: string): Promise<{ readonly end: Promise<MeshError>; readonly leave: () => void }> {
        const leaving = new AbortController();
        const options = { ...as(await people.token(userId)), deadlineMs: DEADLINE_MS, signal: leaving.signal };
        const stream = fleet.client(OrderService).watchOrder({ orderId: 'order' }, options)[Symbol.asyncIterator]();
        expect((await stream.next()).value?.sequence).to.equal(1n);
        const end = stream.next().then(() => expect.fail('it went on'), (thrown: unknown) => MeshError.from(thrown));
        return { end, leave: () => leaving.abort() };
      }

      it('ends when the token is voided, and no other does', async () => {
        await start();
        const [ada, bo] = [await watch('ada'), await watch('bo')];
        voided.add('ada');
        const { code, reason, metadata } = await ada.end;
        expect({ code, reason, metadata }).to.deep.equal({ code: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REFUSED', metadata: { why: 'revoked' } });
        await until('its handler has left', () => handlersLeft === 1);
        const before = looks;
        await until('it was looked at again', () => looks > before + 1);
        expect(await Promise.race([bo.end, 'open'])).to.equal('open');
        bo.leave();
        await bo.end;
      });

      it('ends when the token has expired, 30 s later at most', async () => {
        await start();
        const { end } = await watch('ada');
        clock.advance(5 * MINUTE_MS);
        const before = looks;
        await until('it was looked at', () => looks > before + 1);
        expect(await Promise.race([end, 'open'])).to.equal('open');
        // A token counts in whole seconds.
        clock.advance(31_000);
        expect((await end).metadata).to.deep.equal({ why: 'expired' });
      });

      it('goes on where nobody looks, and nobody looks once all are over', async () => {
        await start({ isWatched: false });
        const { end, leave } = await watch('ada');
        voided.add('ada');
        const before = looks;
        await until('it was looked at', () => looks > before + 1);
        expect(await Promise.race([end, 'open'])).to.equal('open');
        leave();
        await end;
        await until('its handler has left', () => handlersLeft === 1);
        const after = looks;
        await systemClock.sleep(50);
        expect(looks).to.be.at.most(after + 1);
      });
    });
  }
});
