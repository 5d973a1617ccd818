import { rm } from 'node:fs/promises';

import { startEmbeddedPostgres } from '#database/embedded';
import { silentLog } from '#kit';

import type { BenchOptions } from '../bench.ts';
import { type Figure, judge, median } from '../figure.ts';
import { type Program, startProgram } from '../rpc/program.ts';
import { makeFolder } from './make-folder.ts';
import { readPostgresSettings } from './postgres-settings.ts';

/** Of each saga, and of each workflow; every one does nothing and is durable before the next. */
export const STEPS = 4;

/** What both programs are asked: so many at any time, for so long. Answers with steps a second. */
export interface SagaLoad {
  readonly inFlight: number;
  readonly ms: number;
}

const EXTENT = {
  full: { rounds: 10, sliceMs: 3_000, warmUpMs: 5_000 },
  quick: { rounds: 1, sliceMs: 500, warmUpMs: 300 },
} as const;
const IN_FLIGHT = 64;

/** Our runner alone, and DBOS, by turns on one Postgres, each in a process and a database of its own with ten connections. */
export async function measureSagaSteps({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const { rounds, sliceMs, warmUpMs } = EXTENT[quick ? 'quick' : 'full'];
  const dataDir = await makeFolder();
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  const programs: Program<unknown>[] = [];
  const start = async (name: string, nodeFlags: readonly string[] = []): Promise<Program<unknown>> => {
    const program = await startProgram(`../orders/${name}-program`, { databaseUrl: postgres.url(name) }, nodeFlags);
    programs.push(program);
    return program;
  };
  try {
    progress(`saga steps: ${await readPostgresSettings(postgres.url('postgres'))}`);
    const ours = await start('saga');
    // It uses `pg` in a way that is deprecated; that is not ours to mend.
    const dbos = await start('dbos', ['--no-deprecation']);
    const slices: [number[], number[]] = [[], []];
    const measure = (program: Program<unknown>, ms: number): Promise<number> => program.ask('measure', { inFlight: IN_FLIGHT, ms } satisfies SagaLoad);
    progress(`saga steps: warming up, ${warmUpMs / 1_000} s each`);
    for (const program of [ours, dbos]) await measure(program, warmUpMs);
    for (let round = 0; round < rounds; round += 1) {
      for (const index of round % 2 ? [1, 0] : [0, 1]) slices[index]?.push(await measure(index ? dbos : ours, sliceMs));
      progress(`round ${round + 1} of ${rounds}: ours ${slices[0].at(-1)?.toFixed(0)} steps/s, DBOS ${slices[1].at(-1)?.toFixed(0)}`);
    }
    return [judge({ figure: 'orders.saga_steps_vs_dbos', value: median(slices[0]), unit: 'steps/s', peer: { name: '@dbos-inc/dbos-sdk', value: median(slices[1]) }, aim: { atLeast: 5 } })];
  } finally {
    for (const program of programs) await program.stop();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
