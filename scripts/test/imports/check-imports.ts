import { posix } from 'node:path';
import { compositionRoot, vagueNames } from '../import-table.ts';
import { findCycles, type Graph } from './cycles.ts';
import { isTool, judgeEdge, rowOf, unitOf } from './judge-edge.ts';
import { readSourceTree, type SourceTree } from './read-tree.ts';

/** Every breach of the import table below a folder, a sentence each; empty when it is kept. */
export async function checkImports(root: string): Promise<string[]> {
  return judgeTree(await readSourceTree(root));
}

export function judgeTree(tree: SourceTree): string[] {
  return [
    ...tree.unreadable.map(({ file, reason }) => `${file}: cannot be parsed: ${reason}`),
    ...strangers(tree),
    ...vague(tree),
    ...forbidden(tree),
    ...computed(tree),
    ...cycles(tree),
  ];
}

/** File to files; lazy imports count, and so do type imports. */
export function fileGraph(tree: SourceTree): Graph {
  const graph = new Map<string, Set<string>>(tree.files.map((file) => [file, new Set()]));
  for (const { from, to } of tree.edges) if (to.kind === 'file') graph.get(from)?.add(to.file);
  return graph;
}

function strangers(tree: SourceTree): string[] {
  const units = new Set(tree.files.map(unitOf));
  return [...units]
    .filter((unit) => !isTool(unit) && rowOf(unit) === undefined)
    .map((unit) => `${unit}: is not in the import table (scripts/test/import-table.ts): give it a row, or move it`);
}

function vague(tree: SourceTree): string[] {
  const parts = (file: string): string[] => file.split('/').map((part) => part.replace(/\..*$/, ''));
  return tree.files
    .filter((file) => unitOf(file) !== 'proto' && parts(file).some((part) => vagueNames.has(part)))
    .map((file) => `${file}: name it after what it holds`);
}

function forbidden(tree: SourceTree): string[] {
  return tree.edges.flatMap(({ from, line, specifier, to }) => {
    if (to.kind === 'builtin') return [];
    const reason = to.kind === 'file' ? judgeEdge(from, to.file, specifier) : judgePackage(from, to.name);
    return reason === undefined ? [] : [`${from}:${line}: imports '${specifier}': ${reason}`];
  });
}

function judgePackage(from: string, name: string): string | undefined {
  if (name.startsWith('#')) return 'package.json has no such entry in its imports';
  const packages = rowOf(unitOf(from))?.packages;
  return packages === undefined || packages.includes(name) ? undefined : `${unitOf(from)} may use ${packages.join(', ')} only`;
}

function computed(tree: SourceTree): string[] {
  return tree.computed
    .filter(({ from }) => unitOf(from) !== compositionRoot && !isTool(unitOf(from)))
    .map(({ from, line }) => `${from}:${line}: imports by a computed name, which no table can judge`);
}

function cycles(tree: SourceTree): string[] {
  const files = fileGraph(tree);
  return [
    ...findCycles(files).map((cycle) => `cycle of files: ${cycle.join(' -> ')}`),
    ...findCycles(folderGraph(files)).map((cycle) => `cycle of folders: ${cycle.map((name) => `${name}/`).join(' -> ')}`),
  ];
}

/**
 * Folder to folders beside it. Up and down one branch is no edge: an index.ts
 * imports from its subfolders, and these may use what lies above them.
 */
function folderGraph(files: Graph): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [from, targets] of files) {
    const folder = posix.dirname(from);
    const neighbours = graph.get(folder) ?? new Set<string>();
    graph.set(folder, neighbours);
    for (const to of targets) {
      const other = posix.dirname(to);
      if (!isBranch(folder, other)) neighbours.add(other);
    }
  }
  return graph;
}

function isBranch(a: string, b: string): boolean {
  return `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
}
