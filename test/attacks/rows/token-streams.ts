import { type Clock, silentLog, systemClock } from '#kit';
import { type AccessToken, createAuthorization } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { as, createPeople } from '../../mesh/identity/people.ts';
import type { Attack, Attempt } from '../attack.ts';
import { attempt } from '../attempt.ts';
import type { Grounds } from '../mesh/grounds.ts';
import { startTarget } from '../mesh/target.ts';

const REFUSED = { code: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REFUSED' };
/** What a stream lives longer than: the token, and its skew. */
const TOKEN_AND_SKEW_MS = 330_000;

const people = await createPeople();

/** What becomes of a token while a stream is open. */
interface Fate {
  isVoid: boolean;
  laterMs: number;
}

interface StreamRow extends Pick<Attack, 'name' | 'attack' | 'guard'> {
  readonly happen: Partial<Fate>;
}

const ROWS: readonly StreamRow[] = [
  {
    name: 'token-revoked-stream',
    attack: 'a stream that was opened with a stolen access token, after its owner signed out everywhere',
    guard: 'a second look at tokens of open streams',
    happen: { isVoid: true },
  },
  {
    name: 'token-expired-stream',
    attack: 'a stream that is kept open after its access token has expired',
    guard: 'a second look at tokens of open streams',
    happen: { laterMs: TOKEN_AND_SKEW_MS },
  },
];

/** Streams that would outlive what let them in. */
export function tokenStreamAttacks(grounds: () => Grounds): readonly Attack[] {
  return ROWS.map(({ name, attack, guard, happen }) => ({
    ...{ name, attack, guard },
    must: 'is ended as UNAUTHENTICATED, ACCESS_TOKEN_REFUSED',
    run: (state) => keepWatching(grounds(), happen, state === 'on'),
  }));
}

async function keepWatching(grounds: Grounds, happen: Partial<Fate>, isGuarded: boolean): Promise<Attempt> {
  const fate: Fate = { isVoid: false, laterMs: 0 };
  const clock: Clock = {
    now: () => systemClock.now() + fate.laterMs,
    // Without the guard there is no second look.
    sleep: (_, signal) => systemClock.sleep(isGuarded ? 5 : 600_000, signal),
  };
  const isRevoked = ({ userId }: AccessToken): boolean => fate.isVoid && userId === 'ada';
  const authorization = createAuthorization({ verify: people.verify, isRevoked, clock, log: silentLog });
  const target = await startTarget(grounds, { guards: (method) => [authorization.link(method)] });
  try {
    const orders = await target.as('cart', OrderService);
    const stream = orders.watchOrder({ orderId: 'order-of-ada' }, { ...as(await people.token('ada')), deadlineMs: 60_000 })[Symbol.asyncIterator]();
    await stream.next();
    Object.assign(fate, happen);
    const nextMessage = attempt(stream.next(), REFUSED);
    if (!isGuarded) target.change();
    return await nextMessage;
  } finally {
    await target.stop();
    await authorization.stop();
  }
}
