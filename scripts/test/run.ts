import type { TestRequest, Tier } from './arguments.ts';
import { checks } from './checks/catalogue.ts';
import { runChecks } from './checks/run-checks.ts';
import { readSourceTree, type SourceTree } from './imports/read-tree.ts';
import { findTests } from './mocha/find-tests.ts';
import { groupFiles } from './mocha/group-files.ts';
import { dealt, runTier } from './mocha/run-tier.ts';
import { createTiers } from './mocha/tiers.ts';
import type { TestResult } from './results.ts';

export type Run = {
  readonly root: string;
  readonly ci: boolean;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
};

/** Files at once: those that start processes wait for them much of the time. Each has ports, folders and databases of its own. */
const DEFAULT_JOBS = { unit: 2, embedded: 3, real: 2 } as const;

type RunRequest = Extract<TestRequest, { action: 'run' }>;

export type RunOutcome =
  | { readonly state: 'ran'; readonly results: readonly TestResult[] }
  | { readonly state: 'refused'; readonly reason: string };

/** Runs the stages in order. A failed one does not hold up the next: one run shows all there is to mend. */
export async function runStages(request: RunRequest, run: Run): Promise<RunOutcome> {
  const tree = await readSourceTree(run.root);
  const tests = findTests(run.root, tree.files, request.files);
  if (tests.state === 'unknown') return { state: 'refused', reason: tests.reason };
  const byTier = Map.groupBy(tests.files, createTiers(tree));
  const results: TestResult[] = [];
  for (const stage of request.stages) {
    if (run.signal.aborted) break;
    const files = stage === 'checks' ? [] : (byTier.get(stage) ?? []);
    if (stage !== 'checks' && files.length === 0) continue;
    const startedMs = performance.now();
    run.print(`\n── ${stage}${stage === 'checks' ? '' : `: ${files.length} test file${files.length === 1 ? '' : 's'}`} ──`);
    results.push(...(stage === 'checks' ? await runChecks(checks, run) : await runTests(stage, files, tree, request, run)));
    run.print(`── ${stage} took ${((performance.now() - startedMs) / 1000).toFixed(1)} s ──`);
  }
  return { state: 'ran', results };
}

function runTests(stage: Tier, files: readonly string[], tree: SourceTree, { grep, jobs = DEFAULT_JOBS[stage] }: RunRequest, run: Run): Promise<TestResult[]> {
  // Unit tests start nothing, so there is nothing to keep apart; a search need not start a process a file.
  const together = stage === 'unit' || grep !== undefined;
  return runTier({ ...run, groups: together ? dealt(files, jobs) : groupFiles(files, tree), grep, jobs });
}
