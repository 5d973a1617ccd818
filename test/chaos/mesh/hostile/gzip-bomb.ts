import { gzipSync } from 'node:zlib';

import { framed } from '../../../mesh/support/raw-call.ts';
import { type Attack, repeat, scaled } from './attack.ts';
import { call, lastingSession } from './peers.ts';

const BOMBS = 100;
const AT_ONCE = 20;
const INFLATED_BYTES = 64 * 1024 * 1024;

/** Messages of 64 KB that would inflate to 64 MB. */
export const gzipBomb: Attack = {
  name: 'gzip bombs',
  async run(target) {
    const bomb = framed(gzipSync(Buffer.alloc(INFLATED_BYTES)));
    bomb[0] = 1;
    const session = lastingSession(target.port);
    await repeat(scaled(BOMBS, target), AT_ONCE, async () => call(await session(), bomb, { 'grpc-encoding': 'gzip' }));
  },
};
