import { expect } from 'chai';

import { type Draw, type Happening, happeningsOf, kafkaHappeningsOf, nameOfHappening } from './orders/happenings.ts';
import { isAskedFor, partsOf, ROWS } from './orders/rows.ts';
import type { KillPoint } from './orders/survey.ts';

const POINTS: readonly KillPoint[] = Array.from({ length: 30 }, (_, index) => ({ service: 'order', point: `point ${index}` }));

function draw(more: Partial<Draw> = {}): Draw {
  return { seed: 1, points: POINTS, from: 0, kills: 90, ...more };
}

function killedAt(happenings: readonly Happening[]): readonly string[] {
  return happenings.flatMap((happening) => (happening.kind === 'kill' ? happening.at.point : []));
}

describe('the schedule of the crash matrix', () => {
  it('kills at every point as often as at every other, before it comes to one again', () => {
    const points = killedAt(happeningsOf(draw()));
    for (const round of [0, 1, 2]) expect(new Set(points.slice(round * 30, round * 30 + 30)).size).to.equal(30);
  });

  it('is the same for the same seed, and another one for another', () => {
    expect(happeningsOf(draw())).to.deep.equal(happeningsOf(draw()));
    expect(happeningsOf(draw())).not.to.deep.equal(happeningsOf(draw({ seed: 2 })));
  });

  it('is the same in parts as in one', () => {
    const parts = [0, 25, 50].flatMap((from) => happeningsOf(draw({ from, kills: from === 50 ? 40 : 25 })));
    expect(parts).to.deep.equal(happeningsOf(draw()));
  });

  it('puts disasters in between', () => {
    const kinds = Map.groupBy(happeningsOf(draw({ kills: 100 })), ({ kind }) => kind);
    const counts = Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.length]));
    expect(counts).to.deep.equal({ kill: 100, 'stall at': 10, 'kill Postgres': 4, stall: 4, 'late verdict': 4 });
  });

  it('stops and kills the broker by turns, and has a process die meanwhile that needs no events', () => {
    const points: readonly KillPoint[] = [...POINTS, { service: 'notification', point: 'after commit x' }, { service: 'order', point: 'after publish' }];
    const outages = kafkaHappeningsOf(draw({ points, kills: 32 })).filter(({ kind }) => kind === 'restart Kafka');
    expect(outages.map((happening) => happening.kind === 'restart Kafka' && happening.by)).to.deep.equal(['stop', 'kill', 'stop', 'kill', 'stop', 'kill', 'stop', 'kill']);
    for (const outage of outages) expect(nameOfHappening(outage)).to.match(/^order dies at "point \d+" while Kafka is away \((stop|kill)\)$/);
  });

  it('has no kills where no point was found', () => {
    expect(happeningsOf(draw({ points: [] }))).to.deep.equal([]);
  });
});

describe('the rows of the crash matrix', () => {
  it('kill 200 times in a quick run, and 1,000 times in a full one', () => {
    const total = (size: 'quick' | 'full'): number => ROWS.reduce((sum, { kills }) => sum + kills[size], 0);
    expect([total('quick'), total('full')]).to.deep.equal([200, 1_000]);
  });

  it('are taken shop by shop, without a gap', () => {
    const [row] = ROWS;
    const parts = row ? partsOf({ ...row, killsInShop: 100, kills: { quick: 30, full: 250 } }, 'full', 7) : [];
    expect(parts).to.deep.equal([{ from: 7, kills: 100 }, { from: 107, kills: 100 }, { from: 207, kills: 50 }]);
  });

  it('are all asked for where none is named, and named where one is not known', () => {
    expect(isAskedFor('kafka', '')).to.equal(true);
    expect(isAskedFor('kafka', 'kills,cards')).to.equal(false);
    expect(() => isAskedFor('kafka', 'kils')).to.throw('there is no row kils; there are: kills, cards, kafka, without-fence');
  });
});
