import { expect } from 'chai';

import { createChanges } from '../../discovery/agent/changes.ts';
import { parseGoDurationMs } from '../../discovery/agent/duration.ts';
import { createKeyValues } from '../../discovery/agent/key-values.ts';
import { LIMITS } from '../../discovery/agent/limits.ts';
import type { AgentState } from '../../discovery/agent/records.ts';
import { createManualClock } from './support/manual-clock.ts';

function emptyState(): AgentState {
  return { nodeId: 'n', index: 1, services: new Map(), keys: new Map(), intentions: new Map() };
}

describe('parts of the embedded agent', () => {
  it('reads durations as Go writes them', () => {
    const read = ['500ms', '2s', '1m30s', '1.5h', '0s'].map(parseGoDurationMs);
    expect(read).to.deep.equal([500, 2_000, 90_000, 5_400_000, 0]);
    for (const bad of ['', '5', '-1s', '1d', 's', '1s ']) expect(parseGoDurationMs(bad), bad).to.equal(undefined);
  });

  it('lets no more readers wait than it can hold', async () => {
    const clock = createManualClock();
    const changes = createChanges(clock);
    let done = false;
    const wait = () => changes.until(() => done, 1_000, new AbortController().signal);
    const waiting = Array.from({ length: LIMITS.waitingRequests }, wait);
    const refused = await wait().catch((error: unknown) => error);
    expect(refused).to.have.property('status', 429);
    done = true;
    changes.notify();
    await Promise.all(waiting);
    expect(clock.sleeping()).to.deep.equal([]);
    await wait();
  });

  it('takes no more keys, and no more bytes, than it can hold', () => {
    const write = (value: string) => ({ value: Buffer.from(value), flags: 0 });
    const many = createKeyValues(emptyState(), () => undefined);
    for (let count = 0; count < LIMITS.keys; count += 1) many.put(`key ${count}`, write('x'));
    expect(() => many.put('one more', write('x'))).to.throw('keeps at most').with.property('status', 507);
    expect(many.put('key 1', write('y'))).to.equal(true);

    const large = createKeyValues(emptyState(), () => undefined);
    const value = { value: Buffer.alloc(LIMITS.valueBytes), flags: 0 };
    for (let count = 0; count < LIMITS.storeBytes / LIMITS.valueBytes; count += 1) large.put(`key ${count}`, value);
    expect(() => large.put('one more', write('x'))).to.throw('keeps at most');
  });
});
