import { expect } from 'chai';

import { createReadAhead } from '../../mesh/client/read-ahead.ts';

describe('answers ahead of their reader', () => {
  /** A server with any number of answers of this size; one comes for each time it is asked. */
  function server(bytes: number) {
    let asked = 0;
    let sent = 0;
    const arrived = createReadAhead(() => (asked += 1));
    const deliver = (): void => {
      for (asked += sent === 0 ? 1 : 0; sent < asked; ) {
        sent += 1;
        arrived.push(Buffer.alloc(bytes));
      }
    };
    return { deliver, take: () => arrived.shift(), sent: () => sent };
  }

  for (const [what, bytes, ahead] of [['small', 100, 16], ['large', 20_000, 4], ['huge', 4_000_000, 1]] as const) {
    it(`are ${ahead} when they are ${what}, and one more for each that is taken`, () => {
      const { deliver, take, sent } = server(bytes);
      deliver();
      expect(sent()).to.equal(ahead);
      for (let taken = 1; taken <= 3; taken += 1) {
        expect(take()?.length).to.equal(bytes);
        deliver();
        expect(sent()).to.equal(ahead + taken);
      }
    });
  }
});
