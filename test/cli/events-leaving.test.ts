import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { expect } from 'chai';

import { leavable } from '../../cli/serving/leavable-bus.ts';
import type { EventBus } from '#events';
import { systemClock } from '#kit';

import { until } from '../database/until.ts';
import { failureOf } from '../mesh/support/outcome.ts';

const never = (): Promise<never> => new Promise(() => undefined);

/** A bus whose events are published as the test says. */
function busThat(publish: EventBus['publish']): EventBus {
  const nothing = async (): Promise<[]> => [];
  return { publish, subscribe: () => ({ stop: async () => {} }), lag: nothing, read: nothing, readLast: nothing, stop: async () => {} };
}

/** Collects garbage, which only a flag of the engine allows a program. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Time that does not pass before the test lets it. */
function heldClock(): { readonly clock: typeof systemClock; letPass(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { clock: { ...systemClock, sleep: () => promise }, letPass: resolve };
}

describe('a bus that a process leaves', () => {
  it('keeps nothing of what was published', async () => {
    const published: WeakRef<object>[] = [];
    const { bus } = leavable(
      busThat(() => {
        const answer = {};
        published.push(new WeakRef(answer));
        // What a bus resolves with stands for all that one publishing holds.
        return Promise.resolve(answer) as unknown as Promise<void>;
      }),
      systemClock,
    );
    for (let count = 0; count < 50; count += 1) await bus.publish([]);
    // Of the last one this function may still hold something itself.
    const isKept = (): number => published.filter((one) => one.deref() !== undefined).length;
    await until('all are collected', async () => {
      collectGarbage();
      return isKept() <= 1;
    });
  });

  it('lets go of what is being published once its time is over, and takes nothing any more', async () => {
    const { clock, letPass } = heldClock();
    const { bus, leave } = leavable(busThat(never), clock);
    const publishing = [bus.publish([]), bus.publish([])];
    leave();
    letPass();
    for (const one of [...publishing, bus.publish([])]) expect(await failureOf(one)).to.include({ code: 'CANCELLED' });
  });
});
