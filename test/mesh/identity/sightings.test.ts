import { expect } from 'chai';

import { createSightings } from '../../../mesh/identity/sightings.ts';
import { createRuledClock } from '../support/ruled-clock.ts';

describe('a table of sightings', () => {
  it('says how often something was seen, since when, and when last; the latest first', () => {
    const clock = createRuledClock(1_000);
    const { note, read } = createSightings<string>(clock);
    for (const key of ['a', 'b', 'a']) {
      note(key, key);
      clock.advance(10);
    }
    expect(read()).to.deep.equal({
      listed: [
        { what: 'a', count: 2, firstMs: 1_000, lastMs: 1_020 },
        { what: 'b', count: 1, firstMs: 1_010, lastMs: 1_010 },
      ],
      others: 0,
    });
  });

  it('keeps 256 entries while they are fresh: who comes under ever new names is a number', () => {
    const clock = createRuledClock();
    const { note, read } = createSightings<string>(clock);
    for (let key = 0; key < 100_000; key += 1) note(`address-${key}`, '');
    expect(read().listed).to.have.length(256);
    expect(read().others).to.equal(100_000 - 256);
    note('address-0', '');
    expect(read().listed[0]).to.include({ count: 2 });
  });

  it('gives the place of what was not seen for ten minutes to something new, and loses no count', () => {
    const clock = createRuledClock();
    const { note, read } = createSightings<string>(clock);
    for (let key = 0; key < 256; key += 1) note(`old-${key}`, 'old');
    clock.advance(600_000);
    note('old-0', 'old');
    note('new', 'new');
    const { listed, others } = read();
    expect(listed.map(({ what }) => what).slice(0, 2)).to.deep.equal(['new', 'old']);
    expect([listed.length, others]).to.deep.equal([256, 1]);
  });
});
