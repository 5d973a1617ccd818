import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createScratch, type Scratch } from './scratch.ts';

export const projectRoot = join(import.meta.dirname, '..', '..', '..');

const copied = ['package.json', 'buf.yaml', 'buf.gen.yaml', '.mocharc.json', 'proto', 'scripts', 'kit'];

export type ProjectCopy = Scratch & {
  /** Replaces text in a file of the copy; throws when it is not there. */
  edit(path: string, from: string | RegExp, to: string): Promise<void>;
};

/** The contracts and the scripts of this project, and what those stand on, in a folder of their own, to break things in. */
export async function copyProject(): Promise<ProjectCopy> {
  const scratch = await createScratch();
  const at = (path: string): string => join(scratch.folder, path);
  await Promise.all(copied.map((name) => cp(join(projectRoot, name), at(name), { recursive: true })));
  // The dependencies are shared with the project, so a copy must never install any.
  await writeFile(at('scripts/ensure-installed.js'), '// Nothing to install in a copy.\n');
  await symlink(join(projectRoot, 'node_modules'), at('node_modules'));
  return {
    ...scratch,
    edit: async (path, from, to) => {
      const before = await readFile(at(path), 'utf8');
      const after = before.replace(from, to);
      if (after === before) throw new Error(`${path} does not hold ${String(from)}`);
      await writeFile(at(path), after);
    },
  };
}
