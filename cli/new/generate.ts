import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, posix, relative, sep } from 'node:path';
import { promisify } from 'node:util';

import { refusal } from '#kit';

import type { Plan, PlannedFile } from './plan.ts';

/** Ten times what it takes on a busy machine of two cores. */
const MAX_MS = 60_000;

/**
 * The code that `buf generate` makes of the new contract. It works in a folder of its own
 * on a copy of the contracts: in the repository nothing is touched, whether it succeeds or
 * not. START_FAILED, with what it printed, when it does not.
 */
export async function generateCode(root: string, { words, files }: Plan): Promise<readonly PlannedFile[]> {
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-new-service-'));
  try {
    const generated = join(root, 'proto', 'gen');
    await cp(join(root, 'proto'), join(folder, 'proto'), { recursive: true, filter: (path) => path !== generated });
    for (const name of ['buf.yaml', 'buf.gen.yaml']) await cp(join(root, name), join(folder, name));
    for (const { path, text } of files.filter((file) => file.path.endsWith('.proto'))) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    await runBuf(root, ['generate', '--path', `proto/shop/${words.singular}`], folder);
    return await readGenerated(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runBuf(root: string, args: readonly string[], cwd: string): Promise<void> {
  const bin = join(root, 'node_modules', '.bin');
  // Buf finds its plugins by the PATH.
  const env = { ...process.env, PATH: [bin, process.env['PATH']].filter(Boolean).join(delimiter) };
  try {
    await promisify(execFile)(join(bin, 'buf'), args, { cwd, env, timeout: MAX_MS });
  } catch (cause) {
    const { stderr, message } = cause as Partial<Record<'stderr' | 'message', string>>;
    const why = stderr?.trim() || message;
    throw refusal('START_FAILED', `buf ${args[0]} failed, so nothing was written: ${why} (\`npm ci\` installs it)`, { cause });
  }
}

async function readGenerated(folder: string): Promise<PlannedFile[]> {
  const entries = await readdir(join(folder, 'proto', 'gen'), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.toSorted().map(async (path): Promise<PlannedFile> => {
      const text = await readFile(path, 'utf8');
      return { kind: 'new', path: relative(folder, path).split(sep).join(posix.sep), about: 'generated from the contract', text };
    }),
  );
}
