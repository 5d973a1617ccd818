import type { Shown } from '../../discovery/support/held-identity.ts';
import { type OpenDoor, openDoor } from '../../mesh/door/support/open-door.ts';
import { believeEverybody } from '../../mesh/identity/support/believe-everybody.ts';
import { makeOdd } from '../../mesh/identity/support/odd-certificates.ts';
import { strangerWith } from '../../mesh/identity/support/stranger.ts';
import { createTestAuthority } from '../../discovery/support/authority.ts';
import { type Attack, type Attempt, refused, succeeded } from '../attack.ts';
import type { Grounds } from '../mesh/grounds.ts';

const ONLY_SERVERS = ['1.3.6.1.5.5.7.3.1'];

interface CallerRow {
  readonly name: string;
  readonly attack: string;
  shows(grounds: Grounds): Promise<Shown>;
  /** What the server's log says of it. */
  readonly why: RegExp;
}

const idOf = ({ trust }: Grounds, service: string): string => `spiffe://${trust.trustDomain}/ns/default/dc/dc1/svc/${service}`;

const ROWS: readonly CallerRow[] = [
  {
    name: 'caller-self-signed',
    attack: 'a caller whose certificate is signed by itself',
    shows: (grounds) => makeOdd({ uris: [idOf(grounds, 'order')] }),
    why: /SELF_SIGNED/,
  },
  {
    name: 'caller-wrong-ca',
    attack: 'a caller with a certificate of another authority, of the same name and trust domain',
    shows: async ({ trust }) => (await createTestAuthority(trust.trustDomain.replace(/\.consul$/, ''))).leaf('order'),
    why: /UNABLE_TO_VERIFY|UNABLE_TO_GET/,
  },
  {
    name: 'caller-expired',
    attack: 'a caller whose certificate has expired',
    shows: (grounds) => makeOdd({ uris: [idOf(grounds, 'order')], issuer: grounds.ours, expiresMs: Date.now() - 1_000 }),
    why: /CERT_HAS_EXPIRED/,
  },
  {
    name: 'caller-for-servers',
    attack: 'a caller with a certificate for servers alone',
    shows: (grounds) => makeOdd({ uris: [idOf(grounds, 'order')], issuer: grounds.ours, usages: ONLY_SERVERS }),
    why: /INVALID_PURPOSE|UNSUITABLE/,
  },
  {
    name: 'caller-trust-domain',
    attack: 'a caller of another trust domain, signed by our authority',
    shows: ({ ours }) => makeOdd({ uris: ['spiffe://99999999-2222-3333-4444-555555555555.consul/ns/default/dc/dc1/svc/order'], issuer: ours }),
    why: /of the trust domain 9999/,
  },
  {
    name: 'caller-no-service',
    attack: 'a caller with the certificate of an agent, which is no service',
    shows: ({ ours, trust }) => makeOdd({ uris: [`spiffe://${trust.trustDomain}/agent/client/dc/dc1/id/order`], issuer: ours }),
    why: /not that of a service/,
  },
  {
    name: 'caller-two-identities',
    attack: 'a caller whose certificate has two identities',
    shows: (grounds) => makeOdd({ uris: [idOf(grounds, 'cart'), idOf(grounds, 'order')], issuer: grounds.ours }),
    why: /exactly one identity/,
  },
  {
    name: 'caller-no-identity',
    attack: 'a caller whose certificate names a host, and no identity',
    shows: ({ ours }) => makeOdd({ uris: ['https://order.example'], issuer: ours }),
    why: /not that of a service/,
  },
];

/** Callers with certificates that are not those of a service of this mesh, at a port with TLS. */
export function callerAttacks(grounds: () => Grounds): readonly Attack[] {
  return ROWS.map(({ name, attack, shows, why }) => ({
    ...{ name, attack },
    must: 'is turned away at the door',
    guard: 'a look at whose certificate it is',
    run: (guard) => tryOne(grounds(), shows, why, guard === 'off'),
  }));
}

async function tryOne(grounds: Grounds, shows: CallerRow['shows'], why: RegExp, believed: boolean): Promise<Attempt> {
  const as = { kind: 'mtls', identity: await grounds.identity('user'), permissive: false } as const;
  const door = await openDoor({}, undefined, { as, ...(believed && { tlsHooks: { prove: believeEverybody } }) });
  try {
    const answer = await door.caller(strangerWith(grounds.trust.roots, await shows(grounds))).echo();
    return answer === 'OK' ? succeeded(`served as ${door.peers[0]?.service}`) : turnedAway(door, answer, why);
  } finally {
    await door.close();
  }
}

function turnedAway(door: OpenDoor, answer: string, why: RegExp): Attempt {
  const said = door.log.map((line) => String(line['why'] ?? '')).find(Boolean) ?? '';
  const { 'bad-certificate': count } = door.door.read();
  if (!answer.startsWith('UNAVAILABLE') || !why.test(said) || count !== 1 || door.served() > 0) throw new Error(`${answer}; the log says: ${said}`);
  return refused(said);
}
