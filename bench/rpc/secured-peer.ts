import { silentLog, systemClock } from '#kit';
import { createAuthorization, createIntentionGuard, createTokenVerifier, meshCredentials, type MeshOptions } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import type { Peer, PeerOptions } from '../peers/peer.ts';
import { startRuntime, tracerOf, userService } from './mesh-peer.ts';
import { AUDIENCE, ISSUER, type Papers, readPapers } from './papers.ts';
import { instanceAt } from './static-control-plane.ts';

/** Our runtime with everything on, and who calls proved: certificates on both sides, intentions, and a user's token with each call. */
export const securedPeer: Peer = {
  async serve(options) {
    const papers = await papersOf(options);
    const { tracing, mesh } = await startRuntime(options, { guards: guardsWith(papers) });
    const { port } = await mesh.host(userService(tracing)).listen('127.0.0.1', 0, { kind: 'mtls', identity: papers.identity('user'), permissive: false });
    return { port, settle: tracing.flush };
  },
  async connect(port, options) {
    const papers = await papersOf(options);
    const identity = papers.identity('order');
    const { tracing, mesh, controlPlane } = await startRuntime(options, {}, (service) => meshCredentials(identity, service));
    controlPlane.setInstances('user', [instanceAt('user', '127.0.0.1', port)]);
    const users = mesh.client(UserService, { service: 'order', tracer: tracerOf(tracing, 'order') });
    const headers = { authorization: `Bearer ${papers.token}` };
    return { call: (request) => users.getUser(request, { headers }), settle: tracing.flush };
  },
};

function papersOf({ papers }: PeerOptions): Promise<Papers> {
  if (papers === undefined) throw new Error('whoever is to prove who it is needs papers');
  return readPapers(papers);
}

/** One intention lets `order` in, all others are kept out; the method is for users of a role. */
function guardsWith({ tokenKeys }: Papers): NonNullable<MeshOptions['guards']> {
  const allowed = { source: 'order', destination: 'user', rule: { kind: 'action', action: 'allow' }, description: '', precedence: 9, index: 1 } as const;
  const guard = createIntentionGuard({
    intentions: {
      watch(_, listener) {
        queueMicrotask(() => listener.onIntentions([allowed]));
        return { stop: async () => {} };
      },
      defaultAction: async () => 'deny',
    },
    ...{ defaultAction: 'deny', permissive: false, clock: systemClock, log: silentLog },
  });
  const verify = createTokenVerifier({ keys: tokenKeys, clock: systemClock, issuer: ISSUER, audience: AUDIENCE });
  const authorization = createAuthorization({ verify, clock: systemClock, log: silentLog });
  return (method, service) => [guard.link(method, service), authorization.link(method)];
}
