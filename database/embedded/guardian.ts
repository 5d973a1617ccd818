import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { asUser, type RunUser } from './run-user.ts';
import { serverEnvironment } from './server-environment.ts';

/**
 * Runs Postgres and sees to it that it does not outlive this process. A shell, because
 * a second Node process would cost 40 MB and 40 ms for nothing but waiting.
 *
 * Its standard input is a lifeline that only this process holds: it ends when we close
 * it or die, however we die. Then Postgres gets SIGINT (fast shutdown), after 15 s
 * SIGQUIT, after 20 s SIGKILL. The one who waits for the lifeline is a process of its
 * own, so it still does its work when the other shell is killed.
 */
const SCRIPT = `
socket_folder=$1
shift
exec 3<&0 </dev/null
"$@" 3<&- >&2 &
postgres=$!
trap 'kill -INT "$postgres"' INT TERM HUP
(
  trap '' INT TERM HUP
  read -r _ <&3
  kill -INT "$postgres"
  ticks=0
  while kill -0 "$postgres"; do
    sleep 0.05
    ticks=$((ticks + 1))
    if [ "$ticks" -eq 300 ]; then kill -QUIT "$postgres"; fi
    if [ "$ticks" -eq 400 ]; then kill -KILL "$postgres"; fi
  done
) >/dev/null 2>&1 &
watcher=$!
echo "$postgres"
exec >&2 3<&-
status=0
while kill -0 "$postgres" 2>/dev/null; do
  wait "$postgres"
  status=$?
done
kill -KILL "$watcher" 2>/dev/null
rm -rf -- "$socket_folder"
exit "$status"
`;

export interface Guardian {
  /** Postgres's own id. */
  readonly pid: number;
  /** Lets go of the lifeline: Postgres stops. */
  release(): void;
  /** Resolves when the guardian has ended, which it does after Postgres unless it is killed. */
  readonly ended: Promise<void>;
}

export interface GuardianOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly user: RunUser;
  readonly socketFolder: string;
  /** Open for writing; gets what Postgres says. */
  readonly logFile: number;
}

export async function startGuardian({ program, args, user, socketFolder, logFile }: GuardianOptions): Promise<Guardian> {
  const child = spawn(
    '/bin/sh',
    ['-c', SCRIPT, 'shopmesh-postgres', socketFolder, program, ...args],
    {
      // The user may not be allowed to enter ours.
      cwd: '/',
      env: serverEnvironment(),
      stdio: ['pipe', 'pipe', logFile],
      // A session of its own: Ctrl-C in the terminal reaches every process of a session's foreground group.
      detached: true,
      ...asUser(user),
    },
  );
  const ended = once(child, 'exit').then(() => undefined);
  // Reported to whoever awaits it; it must not count as unhandled before.
  ended.catch(() => undefined);
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw await failureOf(ended);
  stdin.on('error', () => undefined);
  const release = (): void => {
    stdin.end();
    // In case the one who waits for the lifeline was killed: the other one passes it on.
    child.kill('SIGTERM');
  };
  const [line] = await Promise.race([once(stdout.setEncoding('utf8'), 'data'), ended.then(() => [''])]);
  return { pid: Number.parseInt(String(line), 10), release, ended };
}

/** A child without pipes is one that could not be started; its error event says why. */
async function failureOf(ended: Promise<void>): Promise<unknown> {
  return ended.then(
    () => new Error('the guardian has no lifeline'),
    (thrown: unknown) => thrown,
  );
}
