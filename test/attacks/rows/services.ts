import { credentials } from '@grpc/grpc-js';

import type { IntentionAction } from '#discovery';
import { silentLog, systemClock } from '#kit';
import { createIntentionGuard, type IntentionGuard, type Method, type ServerInterceptor } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { strangerWith } from '../../mesh/identity/support/stranger.ts';
import { attempt } from '../attempt.ts';
import type { Attack, Attempt } from '../attack.ts';
import { believingHeaders, pretending } from '../mesh/careless.ts';
import type { Grounds } from '../mesh/grounds.ts';
import { startTarget, type Target, type TargetOptions } from '../mesh/target.ts';

const DENIED = { code: 'PERMISSION_DENIED', reason: 'INTENTION_DENIED' };
const NO_CERTIFICATE = { code: 'UNAUTHENTICATED', reason: 'CERTIFICATE_REQUIRED' };
const ORDER = { orderId: 'order-of-ada' };

/** Which service calls, and may it: certificates at the door, intentions behind it. */
export function serviceAttacks(grounds: () => Grounds): readonly Attack[] {
  return [
    {
      name: 'caller-none',
      attack: 'a caller with TLS, and without a certificate',
      must: 'is refused as UNAUTHENTICATED, CERTIFICATE_REQUIRED',
      guard: 'the intentions\' guard, which asks for one',
      run: (guard) => callWithout(grounds(), guard === 'off'),
    },
    {
      name: 'caller-plaintext',
      attack: 'a caller in plaintext, at a port with TLS',
      must: 'is refused as UNAUTHENTICATED',
      guard: 'strict TLS',
      run: (guard) => callInPlaintext(grounds(), guard === 'off'),
    },
    {
      name: 'intention-denied',
      attack: 'a service that an intention denies',
      must: 'is refused as PERMISSION_DENIED, INTENTION_DENIED',
      guard: 'the intentions\' guard',
      run: (guard) => callDenied(grounds(), guard === 'off'),
    },
    {
      name: 'intention-absent',
      attack: 'a service that no intention allows, where the default is to deny',
      must: 'is refused as PERMISSION_DENIED, INTENTION_DENIED',
      guard: 'the intentions\' guard',
      run: (guard) => guarded(grounds(), { defaultAction: 'deny', isOff: guard === 'off' }, (target) => callOrder(target, 'cart')),
    },
    {
      name: 'intention-removed',
      attack: 'a stream that goes on when its intention is removed',
      must: 'is ended as PERMISSION_DENIED, INTENTION_DENIED',
      guard: 'the intentions\' guard',
      run: (guard) => streamOn(grounds(), guard === 'off'),
    },
    {
      name: 'intention-headers',
      attack: 'a service that an intention denies, whose headers say that it is another',
      must: 'is refused as PERMISSION_DENIED, INTENTION_DENIED',
      guard: 'identity that is taken from nothing but a certificate',
      run: (guard) => callPretending(grounds(), guard === 'off'),
    },
  ];
}

interface GuardedOptions extends Pick<TargetOptions, 'permissive'> {
  readonly defaultAction?: IntentionAction;
  /** There is no guard. */
  readonly isOff?: boolean;
  /** The guard is told by headers who calls. */
  readonly believesHeaders?: boolean;
}

async function guarded(grounds: Grounds, { defaultAction = 'allow', isOff = false, believesHeaders = false, permissive }: GuardedOptions, act: (target: Target) => Promise<Attempt>): Promise<Attempt> {
  const guard = openGuard(grounds, defaultAction);
  const links = (method: Method, service: string): ServerInterceptor[] => [...(believesHeaders ? [believingHeaders] : []), guard.link(method, service)];
  const target = await startTarget(grounds, { permissive, ...(!isOff && { guards: links }) });
  try {
    await guard.ready('order');
    return await act(target);
  } finally {
    await target.stop();
    await guard.stop();
  }
}

function openGuard({ plane: { intentions } }: Grounds, defaultAction: IntentionAction): IntentionGuard {
  return createIntentionGuard({ intentions, defaultAction, permissive: false, clock: systemClock, log: silentLog });
}

async function callOrder(target: Target, caller: string): Promise<Attempt> {
  return attempt((await target.as(caller, OrderService)).getOrder(ORDER), DENIED);
}

function callWithout(grounds: Grounds, isOff: boolean): Promise<Attempt> {
  return guarded(grounds, { isOff }, ({ by }) => attempt(by(strangerWith(grounds.trust.roots), OrderService).getOrder(ORDER), NO_CERTIFICATE));
}

/** A port that takes it says nothing of who calls; so does one that has no guard either. */
function callInPlaintext(grounds: Grounds, isOff: boolean): Promise<Attempt> {
  return guarded(grounds, { isOff: true, permissive: isOff }, ({ by }) =>
    attempt(by(credentials.createInsecure(), OrderService).getOrder(ORDER), { code: 'UNAUTHENTICATED', reason: 'UNAUTHENTICATED' }),
  );
}

async function withIntention<T>({ plane: { intentions } }: Grounds, action: IntentionAction, act: () => Promise<T>): Promise<T> {
  await intentions.set({ source: 'cart', destination: 'order', rule: { kind: 'action', action }, description: '' });
  try {
    return await act();
  } finally {
    await intentions.delete('cart', 'order');
  }
}

function callDenied(grounds: Grounds, isOff: boolean): Promise<Attempt> {
  return withIntention(grounds, 'deny', () => guarded(grounds, { isOff }, (target) => callOrder(target, 'cart')));
}

function callPretending(grounds: Grounds, believesHeaders: boolean): Promise<Attempt> {
  return withIntention(grounds, 'deny', () =>
    guarded(grounds, { believesHeaders }, async (target) => attempt((await target.as('cart', OrderService)).getOrder(ORDER, { headers: pretending(grounds) }), DENIED)),
  );
}

function streamOn(grounds: Grounds, isOff: boolean): Promise<Attempt> {
  return withIntention(grounds, 'allow', () =>
    guarded(grounds, { defaultAction: 'deny', isOff }, async (target) => {
      const stream = (await target.as('cart', OrderService)).watchOrder(ORDER)[Symbol.asyncIterator]();
      await stream.next();
      const next = stream.next();
      await grounds.plane.intentions.delete('cart', 'order');
      // With a guard the stream ends by itself, however long it has nothing to say.
      if (isOff) target.change();
      return attempt(next, DENIED);
    }),
  );
}
