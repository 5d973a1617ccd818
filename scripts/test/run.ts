import type { TestRequest, Tier } from './arguments.ts';
import { checks } from './checks/catalogue.ts';
import { runChecks } from './checks/run-checks.ts';
import { listSources, readSourceTree, type SourceTree } from './imports/read-tree.ts';
import { findTests } from './mocha/find-tests.ts';
import { groupFiles } from './mocha/group-files.ts';
import { dealt, type Lane, runTier } from './mocha/run-tier.ts';
import { createTiers } from './mocha/tiers.ts';
import type { TestResult } from './results.ts';

export type Run = {
  readonly root: string;
  readonly ci: boolean;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
};

/** Files at once: each tier waits for timers, or for what it has started, a good part of its time. Each file has ports, folders and databases of its own. */
const DEFAULT_JOBS = { unit: 3, embedded: 3, real: 3 } as const;
/** For fewer it does not pay to load the libraries once more, which takes a second of CPU. */
const FILES_A_PROCESS = 20;
/** Beside those, files that mostly wait: they take what the others leave of the processors. */
const WAITING_JOBS = 1;

type RunRequest = Extract<TestRequest, { action: 'run' }>;

export type RunOutcome =
  | { readonly state: 'ran'; readonly results: readonly TestResult[] }
  | { readonly state: 'refused'; readonly reason: string };

/** Runs the stages in order. A failed one does not hold up the next: one run shows all there is to mend. */
export async function runStages(request: RunRequest, run: Run): Promise<RunOutcome> {
  const tests = findTests(run.root, await listSources(run.root), request.files);
  if (tests.state === 'unknown') return { state: 'refused', reason: tests.reason };
  // To read every source takes 2 s of CPU; a few test files need theirs only.
  const tree = await readSourceTree(run.root, request.stages.includes('checks') ? undefined : tests.files);
  const byTier = Map.groupBy(tests.files, createTiers(tree));
  const results: TestResult[] = [];
  for (const stage of request.stages) {
    if (run.signal.aborted) break;
    const files = stage === 'checks' ? [] : (byTier.get(stage) ?? []);
    if (stage !== 'checks' && files.length === 0) continue;
    const startedMs = performance.now();
    run.print(`\n── ${stage}${stage === 'checks' ? '' : `: ${files.length} test file${files.length === 1 ? '' : 's'}`} ──`);
    results.push(...(stage === 'checks' ? await runChecks(checks, { ...run, tree }) : await runTests(stage, files, tree, request, run)));
    run.print(`── ${stage} took ${((performance.now() - startedMs) / 1000).toFixed(1)} s ──`);
  }
  return { state: 'ran', results };
}

function runTests(stage: Tier, files: readonly string[], tree: SourceTree, { grep, jobs }: RunRequest, run: Run): Promise<TestResult[]> {
  return runTier({ ...run, lanes: lanesOf(stage, files, tree, { grep, jobs }), grep });
}

function lanesOf(stage: Tier, files: readonly string[], tree: SourceTree, { grep, jobs }: Pick<RunRequest, 'grep' | 'jobs'>): Lane[] {
  const atOnce = jobs ?? DEFAULT_JOBS[stage];
  const hands = jobs ?? Math.min(atOnce, Math.ceil(files.length / FILES_A_PROCESS));
  // Unit tests start nothing, so there is nothing to keep apart; a search need not start a process a file.
  if (stage === 'unit' || grep !== undefined) return [{ groups: dealt(files, hands), jobs: atOnce }];
  const groups = groupFiles(files, tree);
  const filesOf = (mostlyWaits: boolean) => groups.filter((group) => group.mostlyWaits === mostlyWaits).map((group) => group.files);
  // Then a file that goes wrong does so alone.
  if (jobs !== undefined) return [{ groups: groups.flatMap((group) => group.files.map((file) => [file])), jobs }];
  return [{ groups: filesOf(false), jobs: atOnce }, { groups: filesOf(true), jobs: WAITING_JOBS }];
}
