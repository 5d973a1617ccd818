import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { refusal } from '#kit';

/** Longest path of a Unix socket on every system we run on, with room for the ending zero. */
const MAX_SOCKET_PATH = 100;

/** Everything one `mesh up` keeps. */
export interface DataFolder {
  readonly path: string;
  readonly logs: string;
  readonly controlSocket: string;
}

/** Makes the folder. Postgres may run as another user, who must be able to pass through it. INVALID_SETTING when it cannot be made. */
export function openDataFolder(setting: string): DataFolder {
  const folder = dataFolder(setting);
  try {
    mkdirSync(folder.logs, { recursive: true, mode: 0o755 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal('INVALID_SETTING', `MESH_DATA_DIR is ${setting}, where nothing can be kept (${why}); set it to a folder that you may write`, { cause });
  }
  return folder;
}

/** Where things are in it; touches nothing. */
export function dataFolder(setting: string): DataFolder {
  const path = resolve(setting);
  const inside = join(path, 'control.sock');
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 16);
  const controlSocket = Buffer.byteLength(inside) <= MAX_SOCKET_PATH ? inside : join(tmpdir(), `shopmesh-${hash}.sock`);
  return { path, logs: join(path, 'logs'), controlSocket };
}
