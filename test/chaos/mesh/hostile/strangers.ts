import { type Attack, repeat, scaled } from './attack.ts';
import { sendAlone } from './peers.ts';

const EACH = 250;
const AT_ONCE = 25;
const MAX_BYTES = 2_000;

/** HTTP/1 and random bytes, each on a connection of its own. */
export const strangers: Attack = {
  name: 'HTTP/1 and random bytes',
  async run(target) {
    const { port, random } = target;
    const get = Buffer.from('GET / HTTP/1.1\r\nhost: shop\r\n\r\n');
    const noise = (): Uint8Array => random.bytes(1 + Math.floor(random.number() * MAX_BYTES));
    await repeat(scaled(EACH, target), AT_ONCE, async () => {
      await sendAlone(port, get);
      await sendAlone(port, noise());
    });
  },
};
