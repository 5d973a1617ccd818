import { expect } from 'chai';

import { systemClock } from '#kit';
import { meshCredentials } from '#mesh';

import type { TlsHooks } from '../../../mesh/server/door/tls-entrance.ts';
import { createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { holdIdentity, type HeldIdentity, type Shown } from '../../discovery/support/held-identity.ts';
import { until } from '../../discovery/support/until.ts';
import type { Caller } from '../door/support/open-door.ts';
import { useDoors } from '../door/support/use-door.ts';
import { createRuledClock, type RuledClock } from '../support/ruled-clock.ts';
import { believeEverybody } from './support/believe-everybody.ts';
import { type ByHand, type ByHandOptions, connectByHand } from './support/by-hand.ts';

const HOUR_MS = 3_600_000;

describe('certificates that change while calls are made', () => {
  const doors = useDoors();
  const byHand: ByHand[] = [];
  let former: TestAuthority;
  let next: TestAuthority;
  let user: HeldIdentity;
  let clock: RuledClock;
  /** How often the door has looked for what is over. */
  let looks: number;
  before(async () => {
    former = await createTestAuthority();
    next = await former.rotated();
  });
  beforeEach(async () => {
    user = holdIdentity('user', await former.leaf('user'), former.trust);
    looks = 0;
    clock = { ...createRuledClock(Date.now()), sleep: (ms, signal) => ((looks += 1), systemClock.sleep(ms / 10, signal)) };
  });
  afterEach(() => byHand.splice(0).forEach(({ close }) => close()));

  const both = () => ({ ...next.trust, roots: [...next.trust.roots, ...former.trust.roots] });
  const open = (tlsHooks: TlsHooks = {}) => doors.open({}, clock, { as: { kind: 'mtls', identity: user, permissive: false }, tlsHooks });
  /** The service shows the new leaf, and the root before it is believed no more. */
  const dropOldRoot = async (): Promise<void> => user.become(await next.leaf('user'), next.trust);

  async function connect(shown: Shown, ticket?: ByHandOptions['ticket']): Promise<ByHand> {
    const connection = await connectByHand({ port: doors.current.port, roots: both().roots, shown, ticket });
    byHand.push(connection);
    return connection;
  }

  it('renew the leaf of each side and the root, and no call fails', async () => {
    await open();
    const order = holdIdentity('order', await former.leaf('order'), former.trust);
    const credentials = meshCredentials(order, 'user');
    const answers = new Map<string, number>();
    let isOver = false;
    async function keepCalling(caller: () => Caller): Promise<void> {
      while (!isOver) {
        const answer = await caller().echo();
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    }
    const steady = doors.current.caller(credentials);
    const calling = [...Array.from({ length: 4 }, () => keepCalling(() => steady)), keepCalling(() => doors.current.caller(credentials))];
    const settle = (): Promise<void> => {
      const enough = doors.current.served() + 40;
      return until('40 more calls were made', () => doors.current.served() >= enough);
    };
    const steps = [
      async () => order.become(await former.leaf('order')),
      async () => user.become(await former.leaf('user')),
      () => order.believe(both()),
      () => user.believe(both()),
      async () => order.become(await next.leaf('order')),
      async () => user.become(await next.leaf('user')),
      () => user.believe(next.trust),
      () => order.believe(next.trust),
    ];
    await settle();
    for (const step of steps) {
      await step();
      await settle();
    }
    await until('the connection of the old leaf was left', async () => {
      clock.advance(100);
      return doors.current.door.read()['outdated-certificate'] > 0;
    });
    await settle();
    isOver = true;
    await Promise.all(calling);
    expect([...answers.keys()]).to.deep.equal(['OK']);
  });

  it('shut a stolen leaf out when its root is gone', async () => {
    await open();
    const stolen = await former.leaf('order');
    expect(await (await connect(stolen)).call()).to.equal(true);
    await dropOldRoot();
    expect(await (await connect(stolen)).call()).to.equal(false);
    expect(doors.current.door.read()['bad-certificate']).to.equal(1);
    expect(await (await connect(await next.leaf('order'))).call()).to.equal(true);
  });

  for (const isGuarded of [true, false]) {
    it(`${isGuarded ? 'shut out' : 'would let in'} a session that was begun under a root that is gone, when tickets ${isGuarded ? 'end with it' : 'outlived it'}`, async () => {
      await open(isGuarded ? {} : { ticketKeys: Buffer.alloc(48, 7) });
      const stolen = await former.leaf('order');
      const first = await connect(stolen);
      expect(await first.call()).to.equal(true);
      const ticket = await first.ticket();
      expect((await connect(stolen, ticket)).isResumed, 'resumed before').to.equal(true);
      await dropOldRoot();
      const later = await connect(stolen, ticket);
      expect([later.isResumed, await later.call()]).to.deep.equal([!isGuarded, !isGuarded]);
    });
  }

  it('end no session early that is resumed under the same roots', async () => {
    const { peers } = await open();
    const shown = await former.leaf('order');
    const first = await connect(shown);
    await first.call();
    const second = await connect(shown, await first.ticket());
    expect([second.isResumed, await second.call()]).to.deep.equal([true, true]);
    expect(peers.map(({ service, proof }) => [service, proof])).to.deep.equal([
      ['order', 'certificate'],
      ['order', 'certificate'],
    ]);
  });

  for (const isGuarded of [true, false]) {
    it(`${isGuarded ? 'are not' : 'would, if nobody looked, be'} prolonged by a session`, async () => {
      await open(isGuarded ? {} : { prove: believeEverybody, keepsOutdated: true });
      const shown = await former.leaf('order', HOUR_MS);
      const first = await connect(shown);
      await first.call();
      const ticket = await first.ticket();
      clock.advance(2 * HOUR_MS);
      const later = await connect(shown, ticket);
      expect([later.isResumed, await later.call()]).to.deep.equal([true, !isGuarded]);
      const said = doors.current.log.findLast((line) => 'why' in line);
      if (isGuarded) expect(String(said?.['why'])).to.contain('expired');
    });
  }

  /** What ends the good name of a peer that is connected. */
  const ends: readonly (readonly [what: string, end: () => Promise<void> | void])[] = [
    ['its root is gone', () => dropOldRoot()],
    ['it has expired', () => clock.advance(2 * HOUR_MS)],
  ];
  for (const [what, end] of ends) {
    it(`end a connection when ${what}: calls in flight finish, the stream of a reader who stays is broken off`, async () => {
      await open();
      const stolen = holdIdentity('order', await former.leaf('order', HOUR_MS), both());
      const caller = doors.current.caller(meshCredentials(stolen, 'user'));
      const release = doors.current.hold();
      const call = caller.echo();
      const begun = Promise.withResolvers<void>();
      const stream = caller.watch(begun.resolve);
      await begun.promise;
      await until('the call is there', () => doors.current.served() === 1);
      await end();
      await until('it was told to leave', () => {
        clock.advance(200);
        return doors.current.door.read()['outdated-certificate'] === 1;
      });
      release();
      expect(await call).to.equal('OK');
      clock.advance(6_000);
      expect(await stream).not.to.equal('OK');
      await until('the connection is gone', () => doors.current.door.read().connections === 0);
    });

    it(`would leave a connection as it is when ${what}, if nobody looked`, async () => {
      await open({ keepsOutdated: true });
      const connection = await connect(await former.leaf('order', HOUR_MS));
      expect(await connection.call()).to.equal(true);
      await end();
      clock.advance(10_000);
      const twice = looks + 2;
      await until('the door has looked twice', () => looks > twice);
      expect([connection.isClosed(), await connection.call()]).to.deep.equal([false, true]);
    });
  }

  describe('of a caller whose leaf is signed by an authority below a root', () => {
    let other: TestAuthority;
    let connection: ByHand;
    before(async () => void (other = await createTestAuthority()));
    beforeEach(async () => {
      await open();
      // The next authority, which the former one vouches for, is no root here.
      connection = await connect(await next.leaf('order'));
      expect(await connection.call()).to.equal(true);
    });
    const believe = (...authorities: readonly TestAuthority[]): void => user.believe({ ...former.trust, roots: authorities.flatMap(({ trust }) => trust.roots) });
    async function letLook(): Promise<void> {
      clock.advance(2_000);
      const twice = looks + 2;
      await until('the door has looked twice', () => looks > twice);
    }

    it('leave its connection alone when a root comes', async () => {
      believe(former, other);
      await letLook();
      expect([connection.isClosed(), await connection.call()]).to.deep.equal([false, true]);
    });

    it('end its connection when the root goes that stands behind the authority', async () => {
      believe(other);
      await letLook();
      await until('it is closed', () => connection.isClosed());
      expect(doors.current.door.read()['outdated-certificate']).to.equal(1);
    });
  });
});
