import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { mustRunTool } from '../run-tool.ts';

const generatedFolder = join('proto', 'gen');

/** Files of `proto/gen` that are not what the contracts generate today, a sentence each. */
export async function generatedDrift(root: string, signal: AbortSignal): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-generated-'));
  try {
    await mustRunTool(root, ['buf', 'generate', '--output', folder], signal);
    return compare(await readFolder(join(root, generatedFolder)), await readFolder(join(folder, generatedFolder)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function compare(committed: ReadonlyMap<string, string>, generated: ReadonlyMap<string, string>): string[] {
  const names = [...new Set([...committed.keys(), ...generated.keys()])].toSorted();
  return names.flatMap((name) => {
    const before = committed.get(name);
    const after = generated.get(name);
    if (before === after) return [];
    const what = before === undefined ? 'is missing' : after === undefined ? 'comes from no contract' : 'is out of date';
    return [`${join(generatedFolder, name)} ${what}: run \`npm run generate\``];
  });
}

async function readFolder(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.map(async (file) => [relative(folder, file), await readFile(file, 'utf8')] as const)));
}
