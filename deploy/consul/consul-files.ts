import { MODULE_NAMES } from '#modules';

import { declaredCalls } from './declared-calls.ts';
import { intentionEntry } from './intention-text.ts';
import { readingPolicy, servicePolicy, steeringPolicy } from './policy-text.ts';

/** The files for Consul that follow from the services, by their path below this folder. */
export async function consulFiles(): Promise<ReadonlyMap<string, string>> {
  const calls = await declaredCalls();
  // What a token says of its own service covers calls to itself.
  const calledBy = (name: string): readonly string[] => calls.filter(({ caller, called }) => caller === name && called !== name).map(({ called }) => called);
  const callsOf = (name: string) => calls.filter(({ called }) => called === name);
  return new Map([
    ...MODULE_NAMES.map((name) => [`policies/${name}.hcl`, servicePolicy(name, calledBy(name))] as const),
    ['policies/operator-read.hcl', readingPolicy()],
    ['policies/operator-steer.hcl', steeringPolicy(MODULE_NAMES)],
    ...MODULE_NAMES.map((name) => [`intentions/${name}.hcl`, intentionEntry(name, callsOf(name))] as const),
  ]);
}
