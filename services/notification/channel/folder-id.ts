import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { errorCode, writeWhole } from '#kit';


const MARKER = '.folder-id';

/** What tells a mail folder from others that have the same path on other machines; undefined where it has no mail yet. */
export async function findFolderId(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, MARKER), 'utf8');
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** The same, after it is given one if need be. When two do so at once, the last one's counts: it is read again for each mail. */
export async function requireFolderId(folder: string, newId: () => string): Promise<string> {
  const found = await findFolderId(folder);
  if (found !== undefined) return found;
  const id = newId();
  await writeWhole(join(folder, MARKER), id, join(folder, `.${id}.tmp`));
  return (await findFolderId(folder)) ?? id;
}
