import type { BenchOptions } from '../bench.ts';
import { type Figure, judge, median } from '../figure.ts';
import { inTurns } from '../in-turns.ts';
import { type Program, startProgram } from '../rpc/program.ts';
import type { ChangeAsked, ChangeTook, ChecksAsked, Ruled } from './intention-program.ts';
import { CALLERS, type Level } from './made-up-intentions.ts';

/** Streams that a change is put to. */
const EXTENT = {
  full: { rounds: 30, calls: 200_000, warmUps: 3, changes: 15, streams: 10_000 },
  quick: { rounds: 2, calls: 2_000, warmUps: 1, changes: 1, streams: 1_000 },
} as const;

const MANY = 1_000;
const AIM_US = 5;
/** Room for noise, and for some 10 ns that a look-up among 1,000 names takes longer than one among ten. One by one it would be 50 times as long. */
const NO_SLOWER = 1.1;

const UNGUARDED: Ruled = undefined;
const FEW: Readonly<Record<Level, Ruled>> = { L4: { level: 'L4', intentions: CALLERS }, L7: { level: 'L7', intentions: CALLERS } };
const ALL: Readonly<Record<Level, Ruled>> = { L4: { level: 'L4', intentions: MANY }, L7: { level: 'L7', intentions: MANY } };
const CONTESTANTS: readonly Ruled[] = [UNGUARDED, FEW.L4, ALL.L4, FEW.L7, ALL.L7];
const LEVELS = ['L4', 'L7'] as const;

/** What the guard adds to a call: the time of a call through it, less that of a call without. The callers are the same ten in each list. */
export async function measureIntentions({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const { rounds, calls, warmUps, changes, streams } = EXTENT[quick ? 'quick' : 'full'];
  const program = await startProgram<unknown>('../identity/intention-program', {});
  const check = (ruled: Ruled): Promise<number> => program.ask('checks', { ...(ruled && { ruled }), calls } satisfies ChecksAsked);
  try {
    progress('intentions: warming up');
    for (let done = 0; done < warmUps; done += 1) for (const ruled of CONTESTANTS) await check(ruled);
    const slices = await inTurns<Ruled, number>(CONTESTANTS, rounds, check, (round) => {
      if (round % 5 === 0) progress(`intentions: round ${round} of ${rounds}`);
    });
    const costOf = (ruled: Ruled): number => median(slices.get(ruled) ?? []) - median(slices.get(UNGUARDED) ?? []);
    return [...figuresOf(costOf), ...(await measureChange(program, changes, { intentions: MANY, streams }, progress))];
  } finally {
    await program.stop();
  }
}

function figuresOf(costOf: (ruled: Ruled) => number): Figure[] {
  return LEVELS.flatMap((level) => {
    const value = costOf(FEW[level]);
    return [
      judge({ figure: `identity.intention_check (${level})`, value, unit: 'us', aim: { atMost: AIM_US } }),
      judge({ figure: `identity.intention_check_1000 (${level})`, value: costOf(ALL[level]), unit: 'us', peer: { name: `${CALLERS} intentions`, value }, aim: { atMost: NO_SLOWER } }),
    ];
  });
}

async function measureChange(program: Program<unknown>, times: number, asked: ChangeAsked, progress: BenchOptions['progress']): Promise<Figure[]> {
  const took: ChangeTook[] = [];
  progress(`intentions: ${times} changes`);
  while (took.length < times) took.push(await program.ask('change', asked));
  const of = (what: string, pick: (one: ChangeTook) => number): Figure => judge({ figure: `identity.intention_change (${what})`, value: median(took.map(pick)), unit: 'ms' });
  const streams = `${asked.streams.toLocaleString('en')} open streams`;
  return [
    of(`${asked.intentions.toLocaleString('en')} compiled`, ({ compiledMs }) => compiledMs),
    of(`none of ${streams} ended`, ({ keptMs }) => keptMs),
    of(`every hundredth of ${streams} ended`, ({ endedMs }) => endedMs),
  ];
}
