import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { breakingPolicies, breakingShapes } from '../contracts/compare-images.ts';
import { generatedDrift } from '../contracts/generated-drift.ts';
import { judgeTree } from '../imports/check-imports.ts';
import type { SourceTree } from '../imports/read-tree.ts';
import { runTool } from '../run-tool.ts';
import { lockfileProblems } from './lockfile.ts';
import { reasonProblems } from './reasons.ts';

export type Check = {
  readonly name: string;
  readonly about: string;
  /** What is wrong below `root`, a sentence each. */
  run(root: string, signal: AbortSignal, tree: SourceTree): Promise<readonly string[]>;
};

/** Each counts as one test. The slow ones come first, so that two at a time end together. */
export const checks: readonly Check[] = [
  { name: 'generated code', about: 'proto/gen is what the contracts generate', run: generatedDrift },
  { name: 'types', about: 'tsc', run: (root, signal) => tool(root, ['tsc', '--noEmit', '--pretty', 'false'], signal) },
  { name: 'lint', about: 'oxlint', run: lint },
  { name: 'contracts: lint', about: 'buf lint', run: (root, signal) => tool(root, ['buf', 'lint'], signal) },
  { name: 'contracts: breaking', about: 'buf breaking against proto/baseline.binpb', run: breakingShapes },
  { name: 'contracts: policies', about: 'deadlines, idempotency keys and who may call, against the baseline', run: breakingPolicies },
  { name: 'lockfile', about: 'dependencies are pinned, npm ci takes the lock', run: (root) => lockfileProblems(root) },
  { name: 'reasons', about: 'each of kit/reasons.ts is given by some code and expected by some test', run: (root) => reasonProblems(root) },
  { name: 'imports', about: 'layers, borders and cycles by the import table', run: async (_root, _signal, tree) => judgeTree(tree) },
];

/** Rules that need types run where their program is installed: it does not exist for every platform. */
function lint(root: string, signal: AbortSignal): Promise<readonly string[]> {
  const typeAware = existsSync(join(root, 'node_modules', 'oxlint-tsgolint')) ? ['--type-aware'] : [];
  return tool(root, ['oxlint', ...typeAware, '--format', 'unix'], signal);
}

async function tool(root: string, command: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const { ok, output } = await runTool(root, command, signal);
  return ok ? [] : output.split('\n');
}
