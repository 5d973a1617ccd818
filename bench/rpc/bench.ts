import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { locateEnvoy } from '../peers/envoy/locate.ts';
import type { Figure } from '../figure.ts';
import type { BenchOptions } from '../bench.ts';
import { ablate } from './ablation.ts';
import { compare } from './compare.ts';
import { COMPARISONS } from './comparisons.ts';
import { createField, type Field } from './field.ts';
import { measureUpdates, UPDATE_FIGURES } from './updates.ts';

export interface RpcBenchOptions extends BenchOptions {
  /** Figures to measure, without `rpc.`; all when left out. */
  readonly only?: readonly string[] | undefined;
  /** Measures what each mechanism of ours costs instead. */
  readonly ablate?: boolean | undefined;
  /** Writes CPU profiles of our client and our server. */
  readonly profile?: boolean | undefined;
}

const NAMES: readonly string[] = [...COMPARISONS.flatMap(({ figures }) => figures.map(({ name }) => name)), ...UPDATE_FIGURES];

/** Calls through the whole runtime, and through each of those it is compared with, by turns. */
export async function bench(options: RpcBenchOptions): Promise<readonly Figure[]> {
  const { progress, only = NAMES, profile = false } = options;
  const unknown = only.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`there is no figure ${unknown}; there are ${NAMES.join(', ')}`);
  const profiles = profile ? await mkdtemp(join(tmpdir(), 'shopmesh-profiles-')) : undefined;
  const field = await createField({ progress, profiles, envoy: await locateEnvoy(process.env) });
  try {
    return await (options.ablate ? ablate(field, options) : measure(field, only, options));
  } finally {
    await field.stop();
    if (profiles !== undefined) progress(`CPU profiles of our client and server are in ${profiles}; Chrome's developer tools open them`);
  }
}

async function measure(field: Field, only: readonly string[], options: RpcBenchOptions): Promise<readonly Figure[]> {
  const figures = await compare(field, only, options);
  const isAsked = UPDATE_FIGURES.some((name) => only.includes(name));
  const updates = isAsked ? await measureUpdates(field.otlpEndpoint('updates'), options) : [];
  return [...figures, ...updates.filter(({ figure }) => only.includes(figure.replace('rpc.', '')))];
}
