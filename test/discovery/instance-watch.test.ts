import { expect } from 'chai';
import { type MeshError, silentLog } from '#kit';

import { unavailable } from '../../discovery/consul/failure.ts';
import { createInstanceWatch } from '../../discovery/consul/instance-watch.ts';
import { createOutage } from '../../discovery/consul/outage.ts';
import type { BlockingAnswer, BlockingRead } from '../../discovery/consul/query.ts';
import type { Instance } from '#discovery';
import { fixedRandom } from './support/fixed-random.ts';
import { instance } from './support/instances.ts';
import { createManualClock } from './support/manual-clock.ts';

const holdMs = 10_000;

/** A watch on a Consul whose answers the test sets. */
function setUp(zone = '') {
  const clock = createManualClock();
  let index = 1;
  let blocking: Instance[] | MeshError | undefined;
  let fresh: Instance[] | undefined;
  const reads: BlockingRead[] = [];
  const consul = {
    healthyInstances: async (_: string, read: BlockingRead): Promise<BlockingAnswer<readonly Instance[]>> => {
      reads.push(read);
      while (blocking === undefined) await clock.sleep(1, read.signal);
      const value = (read.fresh ? fresh : undefined) ?? blocking;
      if (!Array.isArray(value)) throw value;
      return { index, value };
    },
  };
  const outage = createOutage(silentLog, 'http://consul');
  const watch = createInstanceWatch('inventory', { consul, outage, clock, random: fixedRandom, waitMs: 1_000, emptyHoldMs: holdMs, zone });
  const answer = async (now: Instance[] | MeshError, freshly?: Instance[]): Promise<void> => {
    blocking = now;
    fresh = freshly;
    index += 1;
    await clock.advance(6_000);
  };
  return { clock, watch, reads, answer };
}

function listen(watch: ReturnType<typeof setUp>['watch']) {
  const lists: string[][] = [];
  const errors: string[] = [];
  const subscription = watch.subscribe({
    onValue: (list) => void lists.push(list.map(({ id }) => id)),
    onError: (error) => void errors.push(error.message),
  });
  return { lists, errors, stop: () => subscription.stop() };
}

const gone = unavailable('unreachable', 'gone');

describe('the watch on the instances of a service', () => {
  it('tells only changes: a return is no proof of one', async () => {
    const { watch, answer } = setUp();
    const { lists, stop } = listen(watch);
    await answer([instance('a')]);
    await answer([instance('a')]);
    await answer([instance('a'), instance('b')]);
    await stop();
    expect(lists).to.deep.equal([['a'], ['a', 'b']]);
  });

  it('sorts locally: its own zone first, then by id, whatever the order of the answer', async () => {
    const { watch, answer } = setUp('here');
    const { lists, stop } = listen(watch);
    const [a, b, c] = [instance('a', { zone: 'there' }), instance('b', { zone: 'here' }), instance('c', { zone: 'here' })];
    await answer([c, a, b]);
    await answer([b, c, a]);
    await stop();
    expect(lists).to.deep.equal([['b', 'c', 'a']]);
  });

  it('does not believe an empty answer that a fresh read contradicts', async () => {
    const { watch, answer, reads, clock } = setUp();
    const { lists, stop } = listen(watch);
    await answer([instance('a')]);
    await answer([], [instance('a')]);
    await clock.advance(holdMs * 2);
    await stop();
    expect(lists).to.deep.equal([['a']]);
    expect(reads.some((read) => read.fresh && read.index === 0)).to.equal(true);
  });

  it('lets the last good list expire when a fresh read says that nobody is left', async () => {
    const { watch, answer, clock } = setUp();
    const { lists, stop } = listen(watch);
    await answer([instance('a')]);
    await answer([], []);
    expect(lists).to.deep.equal([['a']]);
    await clock.advance(holdMs);
    await stop();
    expect(lists).to.deep.equal([['a'], []]);
    expect(clock.sleeping()).to.deep.equal([]);
  });

  it('keeps the list when somebody is back before it expires, or when Consul can no longer say', async () => {
    const { watch, answer, clock } = setUp();
    const { lists, stop } = listen(watch);
    await answer([instance('a')]);
    await answer([], []);
    await answer([instance('a')]);
    await clock.advance(holdMs * 2);
    await answer([], []);
    await answer(gone);
    await clock.advance(holdMs * 2);
    await stop();
    expect(lists).to.deep.equal([['a']]);
  });

  it('says at once that there is nobody when there never was', async () => {
    const { watch, answer } = setUp();
    const { lists, stop } = listen(watch);
    await answer([]);
    await stop();
    expect(lists).to.deep.equal([[]]);
  });

  it('runs one query for any number of listeners, and none for none', async () => {
    const { watch, answer, clock, reads } = setUp();
    const first = listen(watch);
    await answer([instance('a')]);
    const before = reads.length;
    const second = listen(watch);
    expect(second.lists).to.deep.equal([]);
    await clock.advance(0);
    expect(second.lists).to.deep.equal([['a']]);
    expect(reads).to.have.length(before);
    await first.stop();
    await answer([instance('b')]);
    expect(second.lists).to.deep.equal([['a'], ['b']]);
    expect(first.lists).to.deep.equal([['a']]);
    await second.stop();
    const after = reads.length;
    await clock.advance(60_000);
    expect(reads).to.have.length(after);
    expect(clock.sleeping()).to.deep.equal([]);
  });

  it('answers a listener that comes back while Consul is gone with what was heard last', async () => {
    const { watch, answer, clock } = setUp();
    const first = listen(watch);
    await answer([instance('a')]);
    await first.stop();
    const back = listen(watch);
    await answer(gone);
    await back.stop();
    expect(back.lists).to.deep.equal([['a']]);
    expect(back.errors[0]).to.equal('gone');
    expect(clock.sleeping()).to.deep.equal([]);
  });

  it('tells an error, and no list, where there never was one', async () => {
    const { watch, answer } = setUp();
    const { lists, errors, stop } = listen(watch);
    await answer(gone);
    await stop();
    expect(lists).to.deep.equal([]);
    expect(errors).to.not.be.empty;
  });
});
