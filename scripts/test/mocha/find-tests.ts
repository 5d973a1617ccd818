import { existsSync } from 'node:fs';
import { posix, relative, resolve, sep } from 'node:path';

/** A soak or chaos run: only when asked for by its name. */
const longTest = /\.long\.test\.ts$/;
const anyTest = /\.test\.ts$/;

export type FoundTests =
  | { readonly state: 'found'; readonly files: readonly string[] }
  | { readonly state: 'unknown'; readonly reason: string };

/**
 * The test files to run, relative to the root.
 * @param sources every source file of the tree
 * @param asked files and folders as typed, relative to the root or to where npm was called
 */
export function findTests(root: string, sources: readonly string[], asked: readonly string[]): FoundTests {
  const all = sources.filter((file) => file.startsWith('test/') && anyTest.test(file));
  if (asked.length === 0) return { state: 'found', files: all.filter((file) => !longTest.test(file)) };
  const chosen = new Set<string>();
  for (const name of asked) {
    const path = locate(root, name);
    if (path === undefined) return { state: 'unknown', reason: `There is no file or folder ${name}.` };
    const files = all.filter((file) => file === path || (file.startsWith(`${path}/`) && !longTest.test(file)));
    if (files.length === 0) return { state: 'unknown', reason: `${name} is no test: tests are test/**/*.test.ts.` };
    for (const file of files) chosen.add(file);
  }
  return { state: 'found', files: [...chosen] };
}

function locate(root: string, name: string): string | undefined {
  const bases = [root, process.env['INIT_CWD'] ?? process.cwd()];
  const path = bases.map((base) => resolve(base, name)).find((candidate) => existsSync(candidate));
  return path === undefined ? undefined : posix.normalize(relative(root, path).split(sep).join('/'));
}
