import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { BackendName } from '../../scripts/backends/catalogue.ts';
import { backendsFolder, binaryPath } from '../../scripts/backends/folders.ts';

export type { BackendName };

/** The backend's binary as `npm run backends` installs it, undefined where it is not installed. */
export async function locateBackend(name: BackendName): Promise<string | undefined> {
  const path = binaryPath(backendsFolder(process.env), name);
  return access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  );
}

/** The same for a caller that cannot do without it. */
export async function requireBackend(name: BackendName): Promise<string> {
  const path = await locateBackend(name);
  if (path === undefined) throw new Error(`${name} is not installed: run \`npm run backends -- ${name}\`.`);
  return path;
}
