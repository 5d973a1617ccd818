import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

import { meshCredentials } from '#mesh';

import { keepRunning } from '../orders/keep-running.ts';
import { readPapers } from '../rpc/papers.ts';
import { answerParent } from '../rpc/parent.ts';
import type { Door, DoorArgument, DoorPorts } from './door-program.ts';
import { checkKnownAs, connectOnce } from './open-channel.ts';
import { createOpenSession } from './open-session.ts';
import { shownBy } from './shown.ts';

/** How connections are made: as a channel of whoever has opened the door, or by hand. */
export type Way = 'channel' | 'by hand' | 'by hand, resumed';

/** What the program is told. */
export interface ConnectArgument extends DoorArgument {
  readonly ports: DoorPorts;
}

/** What it is asked. */
export interface ConnectLoad {
  readonly door: Door;
  readonly way: Way;
  readonly inFlight: number;
  readonly ms: number;
}

/** Connects as `order`, again and again. */
const { papers, ports }: ConnectArgument = JSON.parse(process.argv[2] ?? '{}');
const identity = (await readPapers(papers)).identity('order');
const shown = shownBy(identity);
const doors = {
  ours: await waysTo(ports.ours, meshCredentials(identity, 'user')),
  'grpc-js': await waysTo(ports['grpc-js'], credentials.createSsl(shown.roots, shown.key, shown.chain)),
};
answerParent({}, { measure: ({ door, way, ...load }: ConnectLoad) => keepRunning(doors[door][way], load) });

/** @param how the same for all connections, as in a process of the mesh */
async function waysTo(port: number, how: ChannelCredentials): Promise<Readonly<Record<Way, () => Promise<void>>>> {
  await checkKnownAs('order', port, how);
  const resumed = createOpenSession(port, shown, true);
  // The first one has no session to offer.
  await resumed();
  return { channel: () => connectOnce(port, how), 'by hand': createOpenSession(port, shown, false), 'by hand, resumed': resumed };
}
