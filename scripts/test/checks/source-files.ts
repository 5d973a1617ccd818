import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The TypeScript files below some folders of `root`, relative to it; a folder that is not there has none. */
export async function listSourceFiles(root: string, folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(join(root, folder), { recursive: true }).catch(() => []);
    found.push(...entries.filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name.replaceAll('\\', '/')}`));
  }
  return found.toSorted();
}
