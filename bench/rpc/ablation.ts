import { type Figure, judge } from '../figure.ts';
import type { BenchOptions } from '../bench.ts';
import { table } from '../../cli/output.ts';
import { alternate } from './alternate.ts';
import { extentOf } from './compare.ts';
import { ABLATED } from './contestants.ts';
import type { Field } from './field.ts';

const IN_FLIGHT = 32;

/** What each mechanism costs: the calls per second of our runtime without it, over those with everything on; and what metrics cost, with them. */
export async function ablate(field: Field, options: BenchOptions): Promise<readonly Figure[]> {
  const { progress } = options;
  const { rounds, ...extent } = extentOf(options);
  const entries = await Promise.all(Object.entries(ABLATED).map(async ([name, spec]) => [name, await field.enter(name, spec)] as const));
  const loadOf = () => ({ pace: { inFlight: IN_FLIGHT }, paddingBytes: 0, ...extent });
  const medians = await alternate(entries.map(([, contestant]) => contestant), { rounds, loadOf, progress });
  const callsOf = new Map(entries.map(([name, contestant]) => [name, medians.get(contestant)?.callsPerSecond ?? NaN]));
  const whole = callsOf.get('ours') ?? NaN;
  const others = [...callsOf].filter(([name]) => name !== 'ours');
  progress(tableOf(whole, others));
  return others.map(([name, value]) => judge({ figure: `rpc.ablate (${name})`, value, unit: 'calls/s', peer: { name: 'everything on', value: whole } }));
}

function tableOf(whole: number, others: readonly (readonly [string, number])[]): string {
  const rows = others.map(([name, calls]) => [name, String(Math.round(calls)), `${calls < whole ? '' : '+'}${((calls / whole - 1) * 100).toFixed(1)} %`]);
  return table([['', 'CALLS/S', 'DIFFERENCE'], ['everything on', String(Math.round(whole)), ''], ...rows]);
}
