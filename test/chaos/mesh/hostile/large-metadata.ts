import { framed } from '../../../mesh/support/raw-call.ts';
import { type Attack, repeat, scaled } from './attack.ts';
import { call, lastingSession } from './peers.ts';

const CALLS = 500;
const AT_ONCE = 10;
/** 15 headers of 4,000 bytes: 60 KB. */
const HEADERS = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`x-large-${index}`, String(index % 10).repeat(4_000)]));

export const largeMetadata: Attack = {
  name: '60 KB metadata',
  async run(target) {
    const session = lastingSession(target.port);
    await repeat(scaled(CALLS, target), AT_ONCE, async () => call(await session(), framed(Buffer.alloc(0)), HEADERS));
  },
};
