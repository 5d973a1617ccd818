import type { BenchOptions } from '../bench.ts';
import type { Figure } from '../figure.ts';
import { measureEvents } from './event-flow.ts';
import { FIGURES } from './figures.ts';
import { measureFilled } from './filled.ts';
import { measureSagaSteps } from './saga-steps.ts';
import { measureThroughput } from './throughput.ts';

export interface OrdersBenchOptions extends BenchOptions {
  /** Figures to measure, without `orders.`; all when left out. Those that are measured together come together. */
  readonly only?: readonly string[] | undefined;
}

interface Part {
  readonly figures: readonly string[];
  measure(only: readonly string[], options: BenchOptions): Promise<readonly Figure[]>;
}

const PARTS: readonly Part[] = [
  { figures: Object.keys(FIGURES.throughput), measure: (_only, options) => measureThroughput(options) },
  { figures: Object.keys(FIGURES.sagas), measure: (_only, options) => measureSagaSteps(options) },
  { figures: Object.keys(FIGURES.events), measure: measureEvents },
  { figures: Object.keys(FIGURES.filled), measure: (_only, options) => measureFilled(options) },
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
