import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { consulFiles } from './consul-files.ts';

// What a service that is gone has left would go on being applied.
const files = await consulFiles();
for (const folder of ['policies', 'intentions']) {
  for (const name of await readdir(join(import.meta.dirname, folder))) {
    if (!files.has(`${folder}/${name}`)) await rm(join(import.meta.dirname, folder, name));
  }
}
for (const [path, text] of files) await writeFile(join(import.meta.dirname, path), text);
