import { execFile } from 'node:child_process';
import { cp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

import type { NodeRun } from '../checks/support/run-node.ts';
import { inherited } from '../cli/support/shop-folder.ts';
import { makeTestFolder } from '../database/postgres-fixture.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** What git ignores or keeps for itself. */
const NOT_COPIED = new Set(['node_modules', '.git', '.mesh', 'coverage']);

/** Five times what the slowest program takes on a busy machine of two cores. */
const MAX_MS = 120_000;

/** This repository once more, in a folder in which a test may do what it likes. */
export interface RepositoryCopy {
  /** To be removed whole; the copy lies in it. */
  readonly folder: string;
  readonly root: string;
  /** Runs a script of the copy to its end, from its root if nothing else is said. */
  run(script: string, args: readonly string[], options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> }): Promise<NodeRun>;
  /** Every file with its size and when it was last written, to the nanosecond: whatever writes changes it. */
  state(): Promise<ReadonlyMap<string, string>>;
  remove(): Promise<void>;
}

export async function copyRepository(): Promise<RepositoryCopy> {
  const folder = await makeTestFolder();
  const root = join(folder, 'repository');
  const isCopied = (path: string): boolean => !NOT_COPIED.has(relative(ROOT, path).split(sep)[0] ?? '') && !path.endsWith('.log');
  await cp(ROOT, root, { recursive: true, filter: isCopied });
  // The dependencies are shared with the repository, so the copy must never install any.
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  await writeFile(join(root, 'scripts', 'ensure-installed.js'), 'process.exitCode = 0;\n');
  return {
    folder,
    root,
    run: (script, args, { cwd = root, env = {} } = {}) =>
      new Promise((settle) => {
        const options = { cwd, env: { ...inherited(), ...env }, timeout: MAX_MS };
        const child = execFile(process.execPath, [join(root, script), ...args], options, (error, stdout, stderr) => {
          settle({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr });
        });
        child.stdin?.end();
      }),
    state: async () => {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const states = paths.map(async (path) => {
        const { size, mtimeNs } = await stat(path, { bigint: true });
        return [relative(root, path), `${size} bytes, ${mtimeNs}`] as const;
      });
      return new Map(await Promise.all(states));
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
