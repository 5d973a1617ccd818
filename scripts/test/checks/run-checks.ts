import type { SourceTree } from '../imports/read-tree.ts';
import type { TestResult } from '../results.ts';
import type { Check } from './catalogue.ts';

export type CheckRun = {
  readonly root: string;
  /** What the root held when the run began. */
  readonly tree: SourceTree;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
};

const atOnce = 2;

/** Runs the checks two at a time and prints each as it ends. */
export async function runChecks(checks: readonly Check[], run: CheckRun): Promise<TestResult[]> {
  const results: TestResult[] = [];
  const queue = checks.values();
  const work = async (): Promise<void> => {
    // Both workers draw from one iterator, so that each check runs once.
    for (const check of queue) {
      if (run.signal.aborted) return;
      results.push(await runCheck(check, run));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

async function runCheck(check: Check, { root, tree, signal, print }: CheckRun): Promise<TestResult> {
  const startedMs = performance.now();
  const problems = await check.run(root, signal, tree).catch((error: unknown) => [String(error)]);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const passed = problems.length === 0;
  print(`  ${passed ? '✔' : '✖'} ${check.name.padEnd(20)} ${check.about} (${seconds} s)`);
  const name = `check: ${check.name}`;
  if (passed) return { state: 'passed', name };
  for (const problem of problems) print(`      ${problem}`);
  return { state: 'failed', name, detail: problems.join('\n') };
}
