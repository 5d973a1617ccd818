import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { refusal } from '#kit';

import type { PlannedFile } from './plan.ts';

type Undo = () => Promise<unknown>;

/** Writes every file, or none: what was written before one that cannot be is taken back. */
export async function writeFiles(root: string, files: readonly PlannedFile[]): Promise<void> {
  const undo: Undo[] = [];
  try {
    for (const file of files) await (file.kind === 'new' ? create(root, file, undo) : change(root, file, undo));
  } catch (cause) {
    for (const step of undo.reverse()) await step();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal('INVALID_ARGUMENT', `nothing was written: ${why}`, { cause });
  }
}

/** Each step is undone as far as it came, also one that failed half-way, as on a full disk. */
async function create(root: string, { path, text }: PlannedFile, undo: Undo[]): Promise<void> {
  const target = join(root, path);
  const firstFolder = await mkdir(dirname(target), { recursive: true });
  if (firstFolder) undo.push(() => rm(firstFolder, { recursive: true, force: true }));
  // Fails where there is such a file, which then is somebody else's.
  const handle = await open(target, 'wx');
  undo.push(() => rm(target, { force: true }));
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}

async function change(root: string, { path, text, before }: Extract<PlannedFile, { kind: 'changed' }>, undo: Undo[]): Promise<void> {
  const target = join(root, path);
  if ((await readFile(target, 'utf8')) !== before) throw new Error(`${path} was changed at the same time; try again`);
  undo.push(() => writeFile(target, before));
  await writeFile(target, text);
}
