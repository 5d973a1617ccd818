import type { BenchOptions } from '../bench.ts';
import type { Figure } from '../figure.ts';
import { FIGURES } from './figures.ts';
import { measureHandshakes } from './handshakes.ts';
import { measureIntentions } from './intentions.ts';
import { measureRotation } from './rotation.ts';
import { measureSignIns } from './sign-ins.ts';
import { measureTokens } from './tokens.ts';

export interface IdentityBenchOptions extends BenchOptions {
  /** Figures to measure, without `identity.`; all when left out. Those that are measured together come together. */
  readonly only?: readonly string[] | undefined;
}

const PARTS = [
  { names: Object.keys(FIGURES.handshakes), measure: measureHandshakes },
  { names: Object.keys(FIGURES.intentions), measure: measureIntentions },
  { names: Object.keys(FIGURES.tokens), measure: measureTokens },
  { names: Object.keys(FIGURES.signIns), measure: measureSignIns },
  { names: Object.keys(FIGURES.rotation), measure: measureRotation },
];
const NAMES = PARTS.flatMap(({ names }) => names);

/** What it costs to know who calls: connections, checks, tokens, sign-ins, and certificates that change. */
export async function bench({ only = NAMES, ...options }: IdentityBenchOptions): Promise<readonly Figure[]> {
  const unknown = only.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`there is no figure ${unknown}; there are ${NAMES.join(', ')}`);
  const figures: Figure[] = [];
  for (const { names, measure } of PARTS) {
    if (names.some((name) => only.includes(name))) figures.push(...(await measure(options)));
  }
  return figures;
}
