import { setTimeout as delay } from 'node:timers/promises';

import { HASH_COST } from '../../services/user/accounts/password-hash.ts';
import type { BenchOptions } from '../bench.ts';
import { type Figure, judge, median } from '../figure.ts';
import { inTurns } from '../in-turns.ts';
import type { Load, Slice } from '../orders/load.ts';
import { forgetPeak, peakMib, residentMib } from './process-memory.ts';
import { openSignInPlace, type SignInPlace } from './sign-in-place.ts';

/** With 60 sign-ins of each account and address in a row before a limit is met, they suffice for 60,000. */
const EXTENT = {
  full: { rounds: 10, sliceMs: 2_000, warmUpMs: 300, firstWarmUpMs: 3_000, settleMs: 5_000, accounts: 1_000, inFlight: [1, 2, 4, 8, 16] },
  quick: { rounds: 1, sliceMs: 60, warmUpMs: 0, firstWarmUpMs: 40, settleMs: 0, accounts: 20, inFlight: [1, 4] },
} as const;

interface Contestant {
  readonly ask: 'signIns' | 'hashes';
  readonly inFlight: number;
}

/** As many as the service makes at once. */
const HASHES: Contestant = { ask: 'hashes', inFlight: 2 };

type Medians = Pick<Slice, 'ordersPerSecond' | 'p50Ms'>;

/** Sign-ins over mTLS at the one user service, in as many at once as give the most, by turns with bare hashes of the same cost. */
export async function measureSignIns({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const { rounds, sliceMs: ms, warmUpMs, firstWarmUpMs, settleMs, accounts, inFlight } = EXTENT[quick ? 'quick' : 'full'];
  const signIns = inFlight.map((count): Contestant => ({ ask: 'signIns', inFlight: count }));
  progress('sign-ins: starting Postgres and the user service');
  const place = await openSignInPlace(accounts);
  const measure = (contestant: Contestant, load: Omit<Load, 'pace'>): Promise<Slice> => place.people.ask(contestant.ask, { ...load, pace: { inFlight: contestant.inFlight } } satisfies Load);
  try {
    progress(`sign-ins: ${place.postgres}`);
    // What the start has left behind is collected by then.
    await delay(settleMs);
    const idleMib = residentMib(place.pid);
    forgetPeak(place.pid);
    for (const contestant of [HASHES, ...signIns]) await measure(contestant, { warmUpMs: 0, ms: firstWarmUpMs });
    const slices = await inTurns<Contestant, Slice>(
      [HASHES, ...signIns],
      rounds,
      (contestant) => measure(contestant, { warmUpMs, ms }),
      (round, sofar) => progress(`round ${round} of ${rounds}: ${[...sofar].map(([each, of]) => `${each.ask}, ${each.inFlight} at once ${of.at(-1)?.ordersPerSecond.toFixed(1)}/s`).join('; ')}`),
    );
    return figuresOf(place, new Map([...slices].map(([contestant, of]) => [contestant, mediansOf(of)])), idleMib);
  } finally {
    await place.stop();
  }
}

function mediansOf(slices: readonly Slice[]): Medians {
  return { ordersPerSecond: median(slices.map(({ ordersPerSecond }) => ordersPerSecond)), p50Ms: median(slices.map(({ p50Ms }) => p50Ms)) };
}

function figuresOf({ pid }: SignInPlace, medians: ReadonlyMap<Contestant, Medians>, idleMib: number): Figure[] {
  const rateOf = (contestant: Contestant): number => medians.get(contestant)?.ordersPerSecond ?? Number.NaN;
  const signIns = [...medians.keys()].filter(({ ask }) => ask === 'signIns');
  const [best = HASHES] = signIns.toSorted((one, other) => rateOf(other) - rateOf(one));
  const [alone = HASHES] = signIns;
  const cost = `argon2id ${HASH_COST.memoryKiB} KiB, ${HASH_COST.passes} passes, ${HASH_COST.lanes} lane`;
  return [
    judge({ figure: `identity.sign_ins (${best.inFlight} at once, ${cost})`, value: rateOf(best), unit: 'sign-ins/s', peer: { name: `the hash alone, ${HASHES.inFlight} at once`, value: rateOf(HASHES) } }),
    judge({ figure: 'identity.sign_in_ms (alone)', value: medians.get(alone)?.p50Ms ?? Number.NaN, unit: 'ms' }),
    judge({ figure: 'identity.sign_in_memory (peak)', value: peakMib(pid), unit: 'MiB', peer: { name: 'idle', value: idleMib } }),
  ];
}
