import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Environment } from './folders.ts';

/** Where Go's own installer puts it. */
const usualFolders = ['/usr/local/go/bin'];

/** The `go` command: on the PATH, else in GOROOT, else in the usual place. */
export async function findGo(env: Environment, usual: readonly string[] = usualFolders): Promise<string | undefined> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  if (env['GOROOT']) folders.push(join(env['GOROOT'], 'bin'));
  folders.push(...usual);
  for (const folder of folders) {
    const candidate = join(folder, 'go');
    const runs = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return candidate;
  }
  return undefined;
}

export const howToGetGo = [
  'Go is needed to build the backends, and no `go` command was found on the PATH, in GOROOT or in /usr/local/go.',
  'Get Go 1.25 or newer from https://go.dev/dl/, by `brew install go`, or by your Linux distribution',
  '(Debian: `apt-get install golang-go`; a Go from 1.21 on fetches the newer one it needs by itself).',
  'Then run this again. Without it the real test tier stays off; everything else works.',
].join('\n');
