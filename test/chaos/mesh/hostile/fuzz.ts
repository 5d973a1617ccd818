import type { Random } from '#kit';

import { frame, GREETING } from '../../../mesh/door/support/raw-peer.ts';
import { framed } from '../../../mesh/support/raw-call.ts';
import { type Attack, repeat, scaled } from './attack.ts';
import { call, lastingSession, sendAlone } from './peers.ts';

const EACH = 5_000;
const AT_ONCE = 50;
const MAX_PAYLOAD_BYTES = 100;
/** DATA (0) to CONTINUATION (9), and two that nobody knows (RFC 9113, 6). */
const FRAME_TYPES = 12;
/** Frames on one connection: the first that breaks the rules ends it. */
const FRAMES_EACH = 3;

const below = (random: Random, limit: number): number => Math.floor(random.number() * limit);
const someBytes = (random: Random): Uint8Array => random.bytes(below(random, MAX_PAYLOAD_BYTES));

/** Frames with lengths that are right and everything else at random, behind a proper greeting. */
export const fuzzedFrames: Attack = {
  name: '5,000 fuzzed frames',
  async run(target) {
    const { port, random } = target;
    const any = (): Buffer => frame(below(random, FRAME_TYPES), below(random, 256), below(random, 8), someBytes(random));
    await repeat(scaled(Math.ceil(EACH / FRAMES_EACH), target), AT_ONCE, () =>
      sendAlone(port, Buffer.concat([GREETING, ...Array.from({ length: FRAMES_EACH }, any)])),
    );
  },
};

/** Proper calls whose message is any bytes; one in ten also lies about its length. */
export const fuzzedMessages: Attack = {
  name: '5,000 fuzzed messages',
  async run(target) {
    const { port, random } = target;
    const session = lastingSession(port);
    await repeat(scaled(EACH, target), AT_ONCE, async () => {
      const message = framed(someBytes(random));
      if (random.number() < 0.1) message[4] = below(random, 256);
      await call(await session(), message);
    });
  },
};
