import { open, rename, rm } from 'node:fs/promises';

/**
 * Writes a file under another name first, on the disk before it gets its own: it is there whole or not at all, and replaces
 * one of its name. Only its owner may read it.
 * @param draft that other name, in the same folder; one of its own for each of those who may write the file at once
 */
export async function writeWhole(path: string, content: Uint8Array | string, draft = `${path}.tmp`): Promise<void> {
  // What is there may be somebody else's: readable for all, or a link to another file.
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
