import { readFile, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { readImports } from './read-imports.ts';
import { type EntryNames, resolveImport, type Resolved } from './resolve.ts';

export type ImportEdge = {
  readonly from: string;
  readonly line: number;
  readonly specifier: string;
  readonly to: Resolved;
};

export type SourceTree = {
  /** Every source file, relative to the root, with `/`. */
  readonly files: readonly string[];
  readonly edges: readonly ImportEdge[];
  readonly computed: readonly { readonly from: string; readonly line: number }[];
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
};

const skippedFolders: ReadonlySet<string> = new Set(['coverage', 'proto/vendor']);
const sourceName = /\.[mc]?[jt]s$/;

/**
 * Reads sources below a folder and whom they import, as they are on disk, committed or not.
 * @param from when given, only these and what they import, near or far, are read: the rest has no edges
 */
export async function readSourceTree(root: string, from?: readonly string[]): Promise<SourceTree> {
  const entries = await readEntryNames(root);
  const files = await listSources(root);
  const known = new Set(files);
  const toRead = new Set(from ?? files);
  const edges: ImportEdge[] = [];
  const computed: { from: string; line: number }[] = [];
  const unreadable: { file: string; reason: string }[] = [];
  for (const file of toRead) {
    try {
      for (const { specifier, line } of readImports(await readFile(join(root, file), 'utf8'), file)) {
        if (specifier === undefined) {
          computed.push({ from: file, line });
          continue;
        }
        const to = resolveImport(specifier, file, entries);
        edges.push({ from: file, line, specifier, to });
        if (to.kind === 'file' && known.has(to.file)) toRead.add(to.file);
      }
    } catch (error) {
      unreadable.push({ file, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { files, edges, computed, unreadable };
}

async function readEntryNames(root: string): Promise<EntryNames> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { imports?: EntryNames };
  return manifest.imports ?? {};
}

/** Every source file below a folder of the root, relative to the root, with `/`. */
export async function listSources(root: string, folder = ''): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => a.name.localeCompare(b.name))) {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules' || skippedFolders.has(path)) continue;
      found.push(...(await listSources(root, path)));
    } else if (entry.isFile() && sourceName.test(entry.name)) {
      found.push(path);
    }
  }
  return found;
}
