import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that root's Postgres, which is another user, may enter. */
export async function makeTestFolder(): Promise<string> {
  const base = process.getuid?.() === 0 ? '/tmp' : tmpdir();
  const folder = await mkdtemp(join(base, 'shopmesh-test-'));
  await chmod(folder, 0o711);
  return folder;
}
