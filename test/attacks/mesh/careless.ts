import { type ClientInterceptor, currentCall, type Headers, type Peer, type ServerCall, type ServerInterceptor } from '#mesh';

import type { Grounds } from './grounds.ts';

// What a careless runtime would do in the place of ours, so that an attack that fails is seen to succeed.

/** All that headers have been believed about elsewhere: that the caller is the service `order`, and speaks for the user ada. */
export function pretending({ trust }: Pick<Grounds, 'trust'>): Headers {
  const spiffeId = `spiffe://${trust.trustDomain}/ns/default/dc/dc1/svc/order`;
  const user = { 'x-user-id': 'ada', 'user-id': 'ada', 'x-forwarded-user': 'ada', 'x-roles': 'staff' };
  return { ...user, 'x-spiffe-id': spiffeId, 'mesh-peer': 'order', 'x-forwarded-client-cert': `By=${spiffeId};URI=${spiffeId}` };
}

/** As where a proxy is believed to have set these headers. */
export const believingHeaders: ServerInterceptor = (next) => (call) => {
  const userId = call.header('x-user-id');
  const service = call.header('x-forwarded-client-cert')?.split('/svc/').at(-1);
  if (service !== undefined) change(call, 'peer', { service, proof: 'certificate', address: call.peer.address } satisfies Peer);
  if (userId !== undefined) call.user = { userId, roles: [], tokenId: '', generation: 0, expireTimeMs: Infinity };
  return next(call);
};

/** Whoever comes to the explorer's port, from wherever. */
export const explorerAt = (address: string): Peer => ({ service: 'explorer', proof: 'loopback', address });

/** As where nobody has looked from where the caller comes. */
export const takingAllForExplorer: ServerInterceptor = (next) => (call) => {
  change(call, 'peer', explorerAt(call.peer.address));
  return next(call);
};

/** Two headers of one name mean the same as one with a comma (RFC 9110, 5.3), and Node's HTTP/2 sends no others. */
export const takingTheLast: ServerInterceptor = (next) => (call) => {
  const last = call.header('authorization')?.split(', ').at(-1);
  if (last !== undefined) change(call, 'allHeaders', () => ({ authorization: last }));
  return next(call);
};

export const forwardingAlways: ClientInterceptor = (next) => (call) => {
  const token = currentCall(call.context)?.header('authorization');
  if (token !== undefined) call.headers['authorization'] = token;
  return next(call);
};

/** What no link may do, and the type does not let it. */
function change<Name extends keyof ServerCall>(call: ServerCall, name: Name, value: ServerCall[Name]): void {
  Object.defineProperty(call, name, { value });
}
