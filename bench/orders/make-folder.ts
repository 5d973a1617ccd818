import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for data; root's Postgres, which is another user, may enter it. */
export async function makeFolder(): Promise<string> {
  const base = process.getuid?.() === 0 ? '/tmp' : tmpdir();
  const folder = await mkdtemp(join(base, 'shopmesh-bench-'));
  await chmod(folder, 0o711);
  return folder;
}
