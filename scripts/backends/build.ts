import { join } from 'node:path';
import type { GoBackend } from './catalogue.ts';
import type { Environment } from './folders.ts';
import { runProgram, type RunResult } from './run-program.ts';

export type BuildOptions = {
  readonly backend: GoBackend;
  readonly go: string;
  /** The folder that holds the wrapper modules. */
  readonly modules: string;
  /** The file to write. */
  readonly output: string;
  /** Go's own scratch files go here, so that removing it removes everything. */
  readonly scratch: string;
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
};

/**
 * `go build` of the backend's main package inside its wrapper module. The
 * versions are those of the committed go.mod and the checksums those of the
 * committed go.sum: `-mod=readonly` refuses any other.
 */
export function buildBackend(options: BuildOptions): Promise<RunResult> {
  const { backend } = options;
  const { version, versionVariable } = backend;
  const linker = versionVariable === undefined ? '-s -w' : `-s -w -X ${versionVariable}=v${version}`;
  const args = ['build', '-v', '-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', linker];
  return runProgram({
    command: options.go,
    args: [...args, '-o', options.output, backend.goPackage],
    cwd: join(options.modules, backend.name),
    env: goEnvironment(options.env, options.scratch),
    signal: options.signal,
    onLine: stepReader(options.onStep),
  });
}

/**
 * Settings that would change what is built are taken out: personal GOFLAGS, a
 * workspace around the clone, a target other than this machine, a C compiler.
 * What concerns the network and checksums stays as the user has it.
 */
function goEnvironment(env: Environment, scratch: string): Environment {
  const { GOOS: _os, GOARCH: _arch, GO111MODULE: _mode, ...rest } = env;
  return { ...rest, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0', GOTMPDIR: scratch };
}

/** Turns the lines of `go build -v` (downloads, then one line a compiled package) into one short step. */
function stepReader(onStep: (step: string) => void): (line: string) => void {
  let downloads = 0;
  let packages = 0;
  return (line) => {
    if (line.startsWith('go: downloading ')) {
      downloads += 1;
      onStep(`${downloads} modules fetched`);
    } else if (isPackage(line)) {
      packages += 1;
      onStep(`${packages} packages compiled, now ${line}`);
    }
  };
}

/** `go build -v` prints a bare import path for a package; errors and `# path` headings have spaces or colons. */
export function isPackage(line: string): boolean {
  return /^[\w.~-]+(\/[\w.~-]+)*$/.test(line);
}
