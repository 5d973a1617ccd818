import { systemClock } from '#kit';

import type { TlsHooks } from '../../../mesh/server/door/tls-entrance.ts';
import type { HeldIdentity } from '../../discovery/support/held-identity.ts';
import { until } from '../../discovery/support/until.ts';
import { type OpenDoor, openDoor } from '../../mesh/door/support/open-door.ts';
import { believeEverybody } from '../../mesh/identity/support/believe-everybody.ts';
import { type ByHand, type ByHandOptions, connectByHand } from '../../mesh/identity/support/by-hand.ts';
import { createRuledClock } from '../../mesh/support/ruled-clock.ts';
import { type Attack, type Attempt, refused, succeeded } from '../attack.ts';
import type { Grounds } from '../mesh/grounds.ts';

/** A thief with the leaf and key of `order`, at a port whose service believes the thief's root until it is told not to. */
interface Theft {
  readonly door: OpenDoor;
  connect(ticket?: ByHandOptions['ticket']): Promise<ByHand>;
  /** The control plane's root, which has signed what was stolen, is believed no more. */
  dropRoot(): Promise<void>;
  /** Lets time pass for the door: it looks at its connections every half second. */
  pass(ms: number): void;
  /** How often it has looked. */
  looks(): number;
}

/** What was stolen is a good certificate, until its root is gone: nothing takes a single one back. */
export function stolenLeafAttacks(grounds: () => Grounds): readonly Attack[] {
  return [
    {
      name: 'stolen-new-connection',
      attack: 'a stolen leaf, on a new connection, when its root is gone',
      must: 'is turned away at the door',
      guard: 'a look at whose certificate it is',
      run: (guard) => withTheft(grounds(), guard === 'on' ? {} : { prove: believeEverybody }, connectAnew),
    },
    {
      name: 'stolen-resumed',
      attack: 'a stolen leaf, on a TLS session from before its root went',
      must: 'is not resumed, and turned away',
      guard: 'keys of tickets that go with the roots',
      run: (guard) => withTheft(grounds(), guard === 'on' ? {} : { ticketKeys: Buffer.alloc(48, 7) }, resume),
    },
    {
      name: 'stolen-open-connection',
      attack: 'a stolen leaf, on a connection from before its root went',
      must: 'is ended',
      guard: 'a look at connections that are open',
      run: (guard) => withTheft(grounds(), guard === 'on' ? {} : { keepsOutdated: true }, (theft) => stay(theft, guard === 'off')),
    },
  ];
}

async function withTheft(grounds: Grounds, tlsHooks: TlsHooks, act: (theft: Theft) => Promise<Attempt>): Promise<Attempt> {
  const { ours, trust } = grounds;
  const [user, stolen]: readonly [HeldIdentity, Awaited<ReturnType<Grounds['leaf']>>] = [await grounds.identity('user'), await grounds.leaf('order')];
  const ruled = createRuledClock(Date.now());
  let looks = 0;
  const clock = { ...ruled, sleep: (ms: number, signal?: AbortSignal) => ((looks += 1), systemClock.sleep(ms / 10, signal)) };
  const door = await openDoor({}, clock, { as: { kind: 'mtls', identity: user, permissive: false }, tlsHooks });
  const connections: ByHand[] = [];
  try {
    return await act({
      door,
      async connect(ticket) {
        const connection = await connectByHand({ port: door.port, roots: trust.roots, shown: stolen, ticket });
        connections.push(connection);
        return connection;
      },
      dropRoot: async () => user.become(await ours.leaf('user'), ours.trust),
      pass: ruled.advance,
      looks: () => looks,
    });
  } finally {
    for (const { close } of connections) close();
    await door.close();
  }
}

async function connectAnew({ door, connect, dropRoot }: Theft): Promise<Attempt> {
  await mustServe(await connect());
  await dropRoot();
  return tellOf(door, await (await connect()).call());
}

async function resume({ door, connect, dropRoot }: Theft): Promise<Attempt> {
  const first = await connect();
  await mustServe(first);
  const ticket = await first.ticket();
  if (!(await connect(ticket)).isResumed) throw new Error('sessions are not resumed at all');
  await dropRoot();
  const later = await connect(ticket);
  return tellOf(door, await later.call(), later.isResumed ? 'resumed' : 'not resumed');
}

async function stay({ door, connect, dropRoot, pass, looks }: Theft, isLeftAlone: boolean): Promise<Attempt> {
  const connection = await connect();
  await mustServe(connection);
  await dropRoot();
  const twice = looks() + 2;
  await until('its connection is over, or the door has looked at it', () => (pass(200), isLeftAlone ? looks() > twice : connection.isClosed()));
  if (await connection.call()) return succeeded('served on');
  const { 'outdated-certificate': count } = door.door.read();
  if (count !== 1) throw new Error('the connection was ended for another reason');
  return refused('outdated-certificate');
}

async function mustServe(connection: ByHand): Promise<void> {
  if (!(await connection.call())) throw new Error('the leaf was not good before');
}

function tellOf(door: OpenDoor, served: boolean, ...more: readonly string[]): Attempt {
  if (served) return succeeded(['served', ...more].join(', '));
  const said = door.log.findLast((line) => 'why' in line)?.['why'];
  if (door.door.read()['bad-certificate'] === 0) throw new Error('the connection was ended for another reason');
  return refused([String(said), ...more].join(', '));
}
