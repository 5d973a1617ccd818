import { join } from 'node:path';

import { runProgram } from '../../scripts/backends/run-program.ts';
import { knownCases, type Side } from './known-cases.ts';

export interface SuiteOptions {
  /** The installed connectconformance. */
  readonly command: string;
  /** Patterns of the cases to run; none: all. */
  readonly only?: readonly string[];
  readonly signal: AbortSignal;
}

export interface SuiteResult {
  /** Whether every case ended as it should: passed, or failed where that is known. */
  readonly ok: boolean;
  readonly cases: number;
  readonly passed: number;
  /** What the runner printed; at the end of it the cases that failed. */
  readonly output: string;
}

/** Runs the suite against this runtime's server, or its client. Takes about 5 s on two idle cores. */
export async function runSuite(side: Side, { command, only = [], signal }: SuiteOptions): Promise<SuiteResult> {
  const known = knownCases[side].flatMap(({ pattern, fails }) => [fails === 'always' ? '--known-failing' : '--known-flaky', pattern]);
  const args = ['--mode', side, '--conf', join(import.meta.dirname, 'config.yaml'), ...known, ...only.flatMap((pattern) => ['--run', pattern])];
  const program = [process.execPath, join(import.meta.dirname, `${side}-program.ts`)];
  const run = await runProgram({ command, args: [...args, '--', ...program], env: process.env, signal });
  if (run.state === 'not-started') throw new Error(`connectconformance does not start: ${run.reason}`);
  if (run.state === 'stopped') throw new Error('the conformance suite was stopped');
  const output = run.lastLines.join('\n');
  const cases = numberIn(output, /Total cases: (\d+)/);
  const passed = numberIn(output, /(\d+) passed/);
  return { ok: run.code === 0 && passed > 0, cases, passed, output };
}

function numberIn(output: string, pattern: RegExp): number {
  return Number(pattern.exec(output)?.[1] ?? 0);
}
