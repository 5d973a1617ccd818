import type { Tier } from '../arguments.ts';
import { reachable } from '../imports/cycles.ts';
import { fileGraph } from '../imports/check-imports.ts';
import type { SourceTree } from '../imports/read-tree.ts';
import { secondEntries } from '../import-table.ts';

/** A file that imports this asks for real servers. */
const realServers = 'test/backends/locate.ts';
const processModules: ReadonlySet<string> = new Set(['node:child_process', 'node:cluster']);

/**
 * The tier of a test file, read from all that it imports, near or far: no name or folder
 * has to be kept in step with what a test does.
 */
export function createTiers(tree: SourceTree): (testFile: string) => Tier {
  const graph = fileGraph(tree);
  const starters = processStarters(tree);
  return (testFile) => {
    const files = reachable(graph, testFile);
    if (files.has(realServers)) return 'real';
    const starts = [...files].some((file) => starters.has(file) || secondEntries.includes(file));
    return starts ? 'embedded' : 'unit';
  };
}

/** The files that can start processes. */
export function processStarters(tree: SourceTree): ReadonlySet<string> {
  return new Set(tree.edges.filter(({ specifier }) => processModules.has(specifier)).map(({ from }) => from));
}
