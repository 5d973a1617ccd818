import { setImmediate as turn } from 'node:timers/promises';

import type { Attack } from './attack.ts';
import { answeredPing, begin, openSession } from './peers.ts';

const STREAMS = 5_000;
const STREAMS_EACH = 1_000;
const STREAMS_A_TURN = 50;
/** Too long for HPACK to keep, so that every call brings its own 12 KB, less than is refused. */
const HEADERS = Object.fromEntries(Array.from({ length: 3 }, (_, index) => [`x-kept-${index}`, String(index).repeat(3_900)]));

/** Calls that begin and never end, on connections that stay. All of them at any scale: fewer would be nothing to speak of. */
export const halfOpen: Attack = {
  name: '5,000 half-open streams',
  async run({ port }) {
    for (let session = 0; session < STREAMS / STREAMS_EACH; session += 1) {
      const current = await openSession(port);
      for (let stream = 0; stream < STREAMS_EACH; stream += 1) {
        begin(current, HEADERS);
        if (stream % STREAMS_A_TURN === 0) await turn();
      }
      await answeredPing(current);
    }
  },
};
