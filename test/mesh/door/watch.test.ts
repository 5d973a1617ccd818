import { expect } from 'chai';

import { type Clock, systemClock } from '#kit';

import { until } from '../../discovery/support/until.ts';
import { createHurriedClock } from './support/hurried-clock.ts';
import { useRawPeers } from './support/raw-peer.ts';
import { useDoors } from './support/use-door.ts';

describe('the watch over a door', () => {
  const doors = useDoors();
  const connect = useRawPeers(() => doors.current.port);

  it('goes on when one look fails, and so does the process', async () => {
    const hurried = createHurriedClock(10);
    let isBroken = false;
    const clock: Clock = {
      now() {
        if (isBroken) throw new Error('no clock');
        return hurried.now();
      },
      sleep: (_, signal) => systemClock.sleep(20, signal),
    };
    const { door, log } = await doors.open({}, clock);
    const peer = await connect();
    await until('it is let in', () => door.read().connections === 1);
    isBroken = true;
    await until('a look has failed', () => log.some(({ msg }) => String(msg).includes('could not look')));
    isBroken = false;
    await until('the silent peer is closed', () => peer.isClosed());
    expect(door.read()['slow-handshake']).to.equal(1);
  });
});
