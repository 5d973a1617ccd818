import { isDeepStrictEqual } from 'node:util';
import type { Clock, Random } from '#kit';

import type { Instance } from '../control-plane.ts';
import { runBlockingLoop } from './blocking-loop.ts';
import type { HealthCalls } from './health-calls.ts';
import type { Outage } from './outage.ts';
import { createSharedWatch, type SharedWatch, type WatchSink } from './shared-watch.ts';

export interface InstanceWatchOptions {
  readonly consul: Pick<HealthCalls, 'healthyInstances'>;
  readonly outage: Outage;
  readonly clock: Clock;
  readonly random: Random;
  readonly waitMs: number;
  /** How long the last good list stays in use after a confirmed answer that there is nobody. */
  readonly emptyHoldMs: number;
  /** Instances of this zone come first. */
  readonly zone: string;
}

/** The watch on the healthy instances of one service. */
export function createInstanceWatch(service: string, options: InstanceWatchOptions): SharedWatch<readonly Instance[]> {
  return createSharedWatch<readonly Instance[]>({
    equal: isDeepStrictEqual,
    run: (sink, signal) => watch(service, options, sink, signal),
  });
}

async function watch(
  service: string,
  { consul, outage, clock, random, waitMs, emptyHoldMs, zone }: InstanceWatchOptions,
  sink: WatchSink<readonly Instance[]>,
  signal: AbortSignal,
): Promise<void> {
  const party = `watch ${service}`;
  const hold = createHold(clock, emptyHoldMs);

  async function confirmed(answered: readonly Instance[]): Promise<readonly Instance[]> {
    if (answered.length > 0 || !isPopulated(sink.heard())) return answered;
    const { value } = await consul.healthyInstances(service, { index: 0, waitMs, fresh: true, signal });
    return value;
  }

  await runBlockingLoop(
    {
      clock,
      random,
      query: (index) => consul.healthyInstances(service, { index, waitMs, signal }),
      onAnswer: async (answered) => {
        const instances = await confirmed(answered);
        outage.succeeded(party);
        const lastGood = sink.heard();
        if (instances.length === 0 && isPopulated(lastGood)) {
          sink.publish(lastGood);
          hold.start(() => sink.publish([]));
        } else {
          hold.cancel();
          sink.publish(instances.toSorted(byZoneAndId(zone)));
        }
      },
      onError: (error) => {
        // That there is nobody is no longer certain: an agent that restarts says so before it goes.
        hold.cancel();
        outage.failed(party, error);
        sink.fail(error);
      },
    },
    signal,
  );
  hold.cancel();
  outage.forget(party);
}

function isPopulated(instances: readonly Instance[] | undefined): instances is readonly Instance[] {
  return instances !== undefined && instances.length > 0;
}

function byZoneAndId(zone: string): (one: Instance, other: Instance) => number {
  const distance = (instance: Instance): number => (instance.zone === zone ? 0 : 1);
  return (one, other) => distance(one) - distance(other) || (one.id < other.id ? -1 : 1);
}

/** One expiry at a time. */
function createHold(clock: Clock, holdMs: number): { start(expire: () => void): void; cancel(): void } {
  let waiting: AbortController | undefined;
  return {
    start: (expire) => {
      if (waiting) return;
      const mine = new AbortController();
      waiting = mine;
      clock.sleep(holdMs, mine.signal).then(
        () => {
          if (waiting === mine) waiting = undefined;
          expire();
        },
        () => undefined,
      );
    },
    cancel: () => {
      waiting?.abort();
      waiting = undefined;
    },
  };
}
