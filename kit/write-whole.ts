import { open, rename } from 'node:fs/promises';

/**
 * Writes a file under another name first, on the disk before it gets its own: it is there whole or not at all, and replaces
 * one of its name.
 * @param draft that other name, in the same folder; one of its own for each of those who may write the file at once
 */
export async function writeWhole(path: string, content: Uint8Array | string, draft = `${path}.tmp`): Promise<void> {
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
