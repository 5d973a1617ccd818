import { expect } from 'chai';

import { type Random, systemRandom } from '#kit';

import { createIdSource } from '../../tracing/sdk/random-ids.ts';

describe('ids of traces and spans', () => {
  it('are hexadecimal digits, each used once, over many refills of the pool', () => {
    const ids = createIdSource(systemRandom);
    const seen = new Set<string>();
    for (let index = 0; index < 1_000; index += 1) {
      const [traceId, spanId] = [ids.traceId(), ids.spanId()];
      expect(traceId).to.match(/^[0-9a-f]{32}$/);
      expect(spanId).to.match(/^[0-9a-f]{16}$/);
      for (const half of [traceId.slice(0, 16), traceId.slice(16), spanId]) seen.add(half);
    }
    expect(seen.size).to.equal(3_000);
  });

  it('are never all zero, for that means none', () => {
    let filled = 0;
    const random: Random = { number: () => 0, bytes: (count) => new Uint8Array(count).fill((filled += 1) > 2 ? 7 : 0) };
    const ids = createIdSource(random);
    expect(ids.spanId()).to.equal('07'.repeat(8));
    filled = 0;
    expect(createIdSource(random).traceId()).to.equal('07'.repeat(16));
  });

  it('cost one reading of random bytes for hundreds of them', () => {
    let readings = 0;
    const random: Random = {
      ...systemRandom,
      bytes(count) {
        readings += 1;
        return systemRandom.bytes(count);
      },
    };
    const ids = createIdSource(random);
    for (let span = 0; span < 256; span += 1) ids.spanId();
    expect(readings).to.equal(1);
  });
});
