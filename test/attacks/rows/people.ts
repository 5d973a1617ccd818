import { silentLog, systemClock } from '#kit';
import { type ClientInterceptor, createAuthorization, type ServerInterceptor } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';

import { createIdentification } from '../../../mesh/identity/identification.ts';
import { as, createPeople } from '../../mesh/identity/people.ts';
import { strangerWith } from '../../mesh/identity/support/stranger.ts';
import { attempt, type Refusal } from '../attempt.ts';
import { type Attack, type Attempt, refused, succeeded } from '../attack.ts';
import { believingHeaders, forwardingAlways, pretending, takingTheLast } from '../mesh/careless.ts';
import type { Grounds } from '../mesh/grounds.ts';
import { startTarget, type Target } from '../mesh/target.ts';

const AMOUNT = { currencyCode: 'EUR', units: 1n };
const CHARGE = { orderId: 'order-of-ada', amount: AMOUNT, paymentMethod: 'pm_card_visa' };
const REFUSALS = {
  signIn: { code: 'UNAUTHENTICATED', reason: 'SIGN_IN_REQUIRED' },
  token: { code: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_REFUSED' },
  owner: { code: 'PERMISSION_DENIED', reason: 'NOT_THE_OWNER' },
  order: { code: 'NOT_FOUND', reason: 'ORDER_NOT_FOUND' },
  services: { code: 'PERMISSION_DENIED', reason: 'SERVICES_ONLY' },
} as const satisfies Record<string, Refusal>;

const people = await createPeople();
const [ada, bo, staff] = await Promise.all([people.token('ada'), people.token('bo'), people.token('sam', 'staff')]);

/** What takes the place of what refuses, or goes ahead of it. */
interface Without {
  readonly enforce?: boolean;
  readonly ahead?: ServerInterceptor;
  readonly forward?: ClientInterceptor;
}

interface PeopleRow extends Pick<Attack, 'name' | 'attack' | 'guard'> {
  readonly refusal: Refusal;
  call(target: Target, grounds: Grounds): Promise<unknown>;
  readonly off: Without;
}

const ROWS: readonly PeopleRow[] = [
  {
    name: 'user-changed',
    attack: "somebody with a token of their own, and another's id in the request",
    refusal: REFUSALS.owner,
    call: async (target) => (await target.as('cart', OrderService)).listOrders({ userId: 'bo' }, as(ada)),
    guard: "the contract's rule",
    off: { enforce: false },
  },
  {
    name: 'order-changed',
    attack: "somebody with a token of their own, and the id of another's order",
    refusal: REFUSALS.order,
    call: async (target) => (await target.as('cart', OrderService)).getOrder({ orderId: 'order-of-bo' }, as(ada)),
    guard: "the contract's rule",
    off: { enforce: false },
  },
  {
    name: 'headers-from-outside',
    attack: 'a stranger whose headers say which user it is',
    refusal: REFUSALS.signIn,
    call: (target, grounds) => target.by(strangerWith(grounds.trust.roots), OrderService).listOrders({ userId: 'ada' }, { headers: pretending(grounds) }),
    guard: 'identity that is taken from nothing but a token',
    off: { ahead: believingHeaders },
  },
  {
    name: 'headers-from-outside-service',
    attack: 'a stranger whose headers say which service it is',
    refusal: REFUSALS.services,
    call: (target, grounds) => target.by(strangerWith(grounds.trust.roots), PaymentService).charge(CHARGE, { headers: pretending(grounds) }),
    guard: 'identity that is taken from nothing but a certificate',
    off: { ahead: believingHeaders },
  },
  {
    name: 'headers-from-service',
    attack: 'a service whose headers say that it is another',
    refusal: REFUSALS.services,
    call: async (target, grounds) => (await target.as('shipping', PaymentService)).charge(CHARGE, { headers: pretending(grounds) }),
    guard: 'identity that is taken from nothing but a certificate',
    off: { ahead: believingHeaders },
  },
  {
    name: 'headers-from-service-user',
    attack: 'a service whose headers say for which user it speaks',
    refusal: REFUSALS.signIn,
    call: async (target, grounds) => (await target.as('shipping', OrderService)).listOrders({ userId: 'ada' }, { headers: pretending(grounds) }),
    guard: 'identity that is taken from nothing but a token',
    off: { ahead: believingHeaders },
  },
  {
    name: 'token-twice',
    attack: 'two tokens in one call, of which a careless reader takes the one that suits',
    refusal: REFUSALS.token,
    call: async (target) => (await target.as('cart', OrderService)).listOrders({ userId: 'bo' }, { headers: { authorization: `Bearer ${ada}, Bearer ${bo}` } }),
    guard: 'one token a call',
    off: { ahead: takingTheLast },
  },
  {
    name: 'token-for-services-only',
    attack: 'a service that speaks for a member of staff, where services are let in as themselves alone',
    refusal: REFUSALS.services,
    call: async (target) => (await target.as('shipping', PaymentService)).charge(CHARGE, as(staff)),
    guard: "the contract's rule",
    off: { enforce: false },
  },
];

/** Who is behind a call: what requests, headers and services say of it, and what is believed. */
export function peopleAttacks(grounds: () => Grounds): readonly Attack[] {
  return [
    ...ROWS.map(({ name, attack, refusal, call, guard, off }): Attack => ({
      ...{ name, attack, guard },
      must: `is refused as ${refusal.code}, ${refusal.reason}`,
      run: (state) => withTarget(grounds(), state === 'off' ? off : {}, (target) => attempt(call(target, grounds()), refusal)),
    })),
    {
      name: 'token-kept',
      attack: 'a service that keeps the tokens of those who call it, though they are none of its business',
      must: 'gets none',
      guard: 'forwarding only where a token decides',
      run: (state) => withTarget(grounds(), state === 'off' ? { forward: forwardingAlways } : {}, keepToken),
    },
  ];
}

async function withTarget(grounds: Grounds, { enforce = true, ahead, forward }: Without, act: (target: Target) => Promise<Attempt>): Promise<Attempt> {
  const authorization = createAuthorization({ verify: people.verify, clock: systemClock, log: silentLog });
  const identification = createIdentification({ verify: people.verify, clock: systemClock });
  const target = await startTarget(grounds, {
    guards: (method) => [...(ahead ? [ahead] : []), (enforce ? authorization : identification).link(method)],
    outgoing: [forward ?? authorization.forward],
  });
  try {
    return await act(target);
  } finally {
    await target.stop();
    await authorization.stop();
    await identification.stop();
  }
}

async function keepToken(target: Target): Promise<Attempt> {
  await (await target.as('cart', PaymentService)).getPayment({ orderId: 'order-of-ada' }, as(ada));
  const { shownToProducts } = target.traces;
  if (shownToProducts.length !== 1) throw new Error('the call did not get as far as the products');
  return shownToProducts[0] === undefined ? refused('no token') : succeeded('a token that is good elsewhere');
}
