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

/** Reads all sources below a folder and whom they import, as they are on disk, committed or not. */
export async function readSourceTree(root: string): Promise<SourceTree> {
  const entries = await readEntryNames(root);
  const files = await listSources(root, '');
  const edges: ImportEdge[] = [];
  const computed: { from: string; line: number }[] = [];
  const unreadable: { file: string; reason: string }[] = [];
  for (const from of files) {
    try {
      for (const { specifier, line } of readImports(await readFile(join(root, from), 'utf8'), from)) {
        if (specifier === undefined) computed.push({ from, line });
        else edges.push({ from, line, specifier, to: resolveImport(specifier, from, entries) });
      }
    } catch (error) {
      unreadable.push({ file: from, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { files, edges, computed, unreadable };
}

async function readEntryNames(root: string): Promise<EntryNames> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { imports?: EntryNames };
  return manifest.imports ?? {};
}

async function listSources(root: string, folder: string): Promise<string[]> {
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
