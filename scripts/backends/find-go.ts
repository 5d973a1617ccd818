import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import type { Environment } from './folders.ts';

/** Where Go's own installer puts it. */
const usualFolders = ['/usr/local/go/bin'];

/** The `go` command: on the PATH, else in GOROOT, else in the usual place. */
export function findGo(env: Environment, usual: readonly string[] = usualFolders): Promise<string | undefined> {
  const root = env['GOROOT'];
  return findProgram('go', env, [...(root ? [join(root, 'bin')] : []), ...usual]);
}

export const howToGetGo = [
  'Go is needed to build the backends, and no `go` command was found on the PATH, in GOROOT or in /usr/local/go.',
  'Get Go 1.25 or newer from https://go.dev/dl/, by `brew install go`, or by your Linux distribution',
  '(Debian: `apt-get install golang-go`; a Go from 1.21 on fetches the newer one it needs by itself).',
  'Then run this again. Without it the real test tier stays off; everything else works.',
].join('\n');
