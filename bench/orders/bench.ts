import type { BenchOptions } from '../bench.ts';
import type { Figure } from '../figure.ts';
import { EVENT_FIGURES, measureEvents } from './event-flow.ts';
import { FILLED_FIGURES, measureFilled } from './filled.ts';
import { measureSagaSteps, SAGA_FIGURES } from './saga-steps.ts';
import { measureThroughput, THROUGHPUT_FIGURES } from './throughput.ts';

export interface OrdersBenchOptions extends BenchOptions {
  /** Figures to measure, without `orders.`; all when left out. Those that are measured together come together. */
  readonly only?: readonly string[] | undefined;
}

interface Part {
  readonly figures: readonly string[];
  measure(only: readonly string[], options: BenchOptions): Promise<readonly Figure[]>;
}

const PARTS: readonly Part[] = [
  { figures: THROUGHPUT_FIGURES, measure: (_only, options) => measureThroughput(options) },
  { figures: SAGA_FIGURES, measure: (_only, options) => measureSagaSteps(options) },
  { figures: EVENT_FIGURES, measure: measureEvents },
  { figures: FILLED_FIGURES, measure: (_only, options) => measureFilled(options) },
];

const NAMES = PARTS.flatMap(({ figures }) => figures);

/** Orders through the whole shop, and the parts that carry them, each beside what it is compared with. */
export async function bench({ only = NAMES, ...options }: OrdersBenchOptions): Promise<readonly Figure[]> {
  const unknown = only.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`there is no figure ${unknown}; there are ${NAMES.join(', ')}`);
  const figures: Figure[] = [];
  for (const { figures: names, measure } of PARTS) {
    if (names.some((name) => only.includes(name))) figures.push(...(await measure(only, options)));
  }
  return figures;
}
