import { type Figure, judge } from '../figure.ts';
import type { BenchOptions } from '../bench.ts';
import { alternate } from './alternate.ts';
import { type Comparison, COMPARISONS } from './comparisons.ts';
import { type ContestantName, CONTESTANTS } from './contestants.ts';
import type { Contestant, Field } from './field.ts';
import type { Load } from './load.ts';

/** How long is measured. */
export interface Extent {
  readonly rounds: number;
  readonly ms: number;
  readonly warmUpMs: number;
}

export function extentOf({ quick }: BenchOptions): Extent {
  return quick ? { rounds: 4, ms: 50, warmUpMs: 25 } : { rounds: 30, ms: 1_000, warmUpMs: 200 };
}

/** The figures that are asked for, comparison by comparison, and what share of their spans arrived. */
export async function compare(field: Field, only: readonly string[], options: BenchOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const traced = new Map<ContestantName, Contestant>();
  for (const comparison of COMPARISONS) {
    const asked = comparison.figures.filter(({ name }) => only.includes(name));
    const possible = asked.filter(({ contestants }) => field.hasEnvoy || !contestants.includes('envoy'));
    for (const { name } of asked.filter((figure) => !possible.includes(figure))) {
      options.progress(`rpc.${name} is left out: Envoy is not installed; \`npm run backends -- envoy\` installs it`);
    }
    if (possible.length === 0) continue;
    figures.push(...(await compareOne(field, { ...comparison, figures: possible }, options, traced)));
  }
  for (const [name, contestant] of traced) figures.push(await spansPerCall(name, contestant, options));
  return figures;
}

async function compareOne(field: Field, { what, load, figures }: Comparison, options: BenchOptions, traced: Map<ContestantName, Contestant>): Promise<Figure[]> {
  const { progress } = options;
  progress(what);
  const names = [...new Set(figures.flatMap(({ contestants }) => contestants))];
  const contestants = new Map(await Promise.all(names.map(async (name) => [name, await field.enter(name, CONTESTANTS[name])] as const)));
  for (const [name, contestant] of contestants) if (contestant.spec.spansPerCall > 0) traced.set(name, contestant);
  const { rounds, ...extent } = extentOf(options);
  const loadOf = (): Load => ({ ...load, ...extent, pace: options.quick ? gently(load.pace) : load.pace });
  const medians = await alternate([...contestants.values()], { rounds, progress, loadOf });
  return figures.map(({ figure }) =>
    figure((name) => {
      const contestant = contestants.get(name);
      const found = contestant && medians.get(contestant);
      if (!found) throw new Error(`${name} was not measured`);
      return found;
    }),
  );
}

/** Programs that have just started answer hundreds of calls at once only after some of them are given up. */
function gently(pace: Load['pace']): Load['pace'] {
  return 'inFlight' in pace ? { ...pace, inFlight: Math.min(pace.inFlight, 16) } : pace;
}

/** Of a side's spans one in a hundred may be lost, where it is ours and over the network. */
const SPANS_AIM = 0.99;

/**
 * That a call is traced is seen where its spans arrive: one of the caller and one of the callee. Calls within a process end
 * more spans than one process can send, and others lose theirs by rules of their own: those are only reported.
 */
async function spansPerCall(name: ContestantName, contestant: Contestant, { progress }: BenchOptions): Promise<Figure> {
  const { perCall, endedPerSecond } = await contestant.spansSeen();
  if (perCall < SPANS_AIM) {
    const [ended, arrived] = [endedPerSecond, endedPerSecond * perCall].map(Math.round);
    progress(`${contestant.spec.title}: of ${ended} spans that ended each second on one side ${arrived} arrived; the others found the queue of the sender full`);
  }
  const aim = name === 'ours' ? { atLeast: SPANS_AIM } : undefined;
  return judge({ figure: `rpc.spans_per_call (${name})`, value: perCall, unit: 'spans a side', aim });
}
