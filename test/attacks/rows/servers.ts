import { Channel, type ChannelCredentials, credentials } from '@grpc/grpc-js';

import { silentLog, systemClock } from '#kit';
import { createMesh, meshCredentials } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { createTestAuthority } from '../../discovery/support/authority.ts';
import { holdIdentity, type Shown } from '../../discovery/support/held-identity.ts';
import { makeOdd } from '../../mesh/identity/support/odd-certificates.ts';
import { startUserServer } from '../../mesh/identity/support/user-server.ts';
import { createTelemetry } from '../../mesh/support/telemetry.ts';
import { attempt } from '../attempt.ts';
import type { Attack, Attempt } from '../attack.ts';
import type { Grounds } from '../mesh/grounds.ts';

interface ServerRow {
  readonly name: string;
  readonly attack: string;
  shows(grounds: Grounds): Promise<Shown>;
  /** TLS alone would let it pass. */
  readonly passesTls: boolean;
}

const idOf = ({ trust }: Grounds, service: string): string => `spiffe://${trust.trustDomain}/ns/default/dc/dc1/svc/${service}`;

const ROWS: readonly ServerRow[] = [
  {
    name: 'server-of-another',
    attack: 'a server of another service, where user is registered',
    shows: ({ leaf }) => leaf('inventory'),
    passesTls: true,
  },
  {
    name: 'server-trust-domain',
    attack: 'a server of another trust domain, signed by our authority',
    shows: ({ ours }) => makeOdd({ uris: ['spiffe://99999999-2222-3333-4444-555555555555.consul/ns/default/dc/dc1/svc/user'], issuer: ours }),
    passesTls: true,
  },
  {
    name: 'server-no-service',
    attack: 'a server with the certificate of an agent, which is no service',
    shows: ({ ours, trust }) => makeOdd({ uris: [`spiffe://${trust.trustDomain}/agent/client/dc/dc1/id/user`], issuer: ours }),
    passesTls: true,
  },
  {
    name: 'server-two-identities',
    attack: 'a server whose certificate has two identities',
    shows: (grounds) => makeOdd({ uris: [idOf(grounds, 'user'), idOf(grounds, 'order')], issuer: grounds.ours }),
    passesTls: true,
  },
  {
    name: 'server-self-signed',
    attack: 'a server whose certificate is signed by itself',
    shows: (grounds) => makeOdd({ uris: [idOf(grounds, 'user')] }),
    passesTls: false,
  },
  {
    name: 'server-wrong-ca',
    attack: 'a server with a certificate of another authority, of the same name and trust domain',
    shows: async ({ trust }) => (await createTestAuthority(trust.trustDomain.replace(/\.consul$/, ''))).leaf('user'),
    passesTls: false,
  },
  {
    name: 'server-expired',
    attack: 'a server whose certificate has expired',
    shows: (grounds) => makeOdd({ uris: [idOf(grounds, 'user')], issuer: grounds.ours, expiresMs: Date.now() - 1_000 }),
    passesTls: false,
  },
];

/** Servers that answer where `user` is registered, and are not `user`. */
export function serverAttacks(grounds: () => Grounds): readonly Attack[] {
  return ROWS.map(({ name, attack, shows, passesTls }) => ({
    ...{ name, attack },
    must: 'is not called: UNAVAILABLE, SERVER_IDENTITY',
    guard: passesTls ? 'a look at whose certificate it is' : "TLS's own look at the certificate",
    run: (guard) => callImpostor(grounds(), shows, guard === 'off', passesTls),
  }));
}

async function callImpostor(grounds: Grounds, shows: ServerRow['shows'], careless: boolean, passesTls: boolean): Promise<Attempt> {
  const { port, stop } = await startUserServer({ kind: 'mtls', identity: holdIdentity('user', await shows(grounds), grounds.trust), permissive: false });
  const order = await grounds.identity('order');
  const unlooking = (): ChannelCredentials =>
    passesTls ? meshCredentials(order, 'user', { checkServer: () => undefined }) : credentials.createSsl(null, null, null, { rejectUnauthorized: false });
  const by = careless ? unlooking() : meshCredentials(order, 'user');
  const openChannel = (): Channel => new Channel(`127.0.0.1:${port}`, by, { 'grpc.enable_http_proxy': 0, 'grpc.ssl_target_name_override': 'user' });
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
  try {
    const users = mesh.client(UserService, { tracer: createTelemetry().tracer('order'), service: 'order' });
    return await attempt(users.getUser({ userId: 'demo' }), { code: 'UNAVAILABLE', reason: 'SERVER_IDENTITY' });
  } finally {
    await mesh.stop();
    await stop();
  }
}
