import { constants, setPriority } from 'node:os';

import { seededRandom } from '../../../kit/support.ts';
import type { HostileReport, HostileSettings } from '../messages.ts';
import type { Attack } from './attack.ts';
import { pingFlood, resetFlood } from './floods.ts';
import { fuzzedFrames, fuzzedMessages } from './fuzz.ts';
import { gzipBomb } from './gzip-bomb.ts';
import { halfOpen } from './half-open.ts';
import { largeMetadata } from './large-metadata.ts';
import { silence } from './silence.ts';
import { strangers } from './strangers.ts';

/** What is held open comes last, so that all of it is there when the others are through. */
const ATTACKS: readonly Attack[] = [largeMetadata, pingFlood, resetFlood, gzipBomb, strangers, fuzzedFrames, fuzzedMessages, silence, halfOpen];

/** Every kind of hostile peer, one after the other, in a process of its own; then it stays, and holds on to what it has. */
const { port, scale, seed }: HostileSettings = JSON.parse(process.argv[2] ?? '');
// They would be on machines of their own: on this one they get what the others leave.
setPriority(constants.priority.PRIORITY_LOW);
const random = seededRandom(seed);
// It is not told to end but cut off, and must not end before: its last connections are the point.
process.once('disconnect', () => process.exit(0));
for (const attack of ATTACKS) {
  await attack.run({ port, random, scale });
  process.send?.({ kind: 'attacked', name: attack.name } satisfies HostileReport);
}
process.send?.({ kind: 'over' } satisfies HostileReport);
