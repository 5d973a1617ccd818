import { constants } from 'node:fs';
import { access } from 'node:fs/promises';

import { backendsFolder, binaryPath, type Environment } from '../../../scripts/backends/folders.ts';

/** The Envoy that `npm run backends` has installed; undefined where it has not. */
export async function locateEnvoy(env: Environment): Promise<string | undefined> {
  const path = binaryPath(backendsFolder(env), 'envoy');
  return access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  );
}
