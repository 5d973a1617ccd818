import { backoffMs, type Log, systemClock, systemRandom } from '#kit';

import type { Served } from '../serving/serve.ts';
import { type Child, type ChildOptions, type Ending, spawnChild } from './child.ts';
import type { ProcessStatus } from './control-socket.ts';
import type { Environment } from './environment.ts';

export interface ManagedProcessOptions {
  readonly child: ChildOptions;
  /** The settings that lead to its servers, once those are there. */
  readonly environment: () => Promise<Environment>;
  /** Told of instances that died without taking leave. */
  readonly forget: (instances: readonly string[]) => Promise<void>;
  readonly report: (name: string, what: string) => void;
  readonly log: Log;
}

/** A process that runs services and is run again when it ends by itself. */
export interface ManagedProcess {
  status(): ProcessStatus;
  /** Resolves when its services serve, rejects with the reason why not. */
  begin(): Promise<readonly Served[]>;
  /** From now on it is run again when it ends by itself, after about 0.5, 1, 2 … 30 s. */
  keepUp(): void;
  stop(): Promise<void>;
}

/** Starts the process at once; it loads its code and waits for `begin`. */
export function startManagedProcess({ child: options, environment, forget, report, log }: ManagedProcessOptions): ManagedProcess {
  const { name, services } = options;
  const stopping = new AbortController();
  let child: Child = spawnChild(options);
  let status: ProcessStatus = starting(child);
  let keeping: Promise<void> = Promise.resolve();

  function starting({ pid }: Child): ProcessStatus {
    return { name, pid, state: 'starting', services, instances: [], startedAt: systemClock.now() };
  }

  async function begin(): Promise<readonly Served[]> {
    const served = await child.start(await environment());
    status = { ...status, state: 'ready', instances: served.map(({ id }) => id) };
    for (const { name: service, address, port } of served) report(service, `${address}:${port}`);
    return served;
  }

  async function clearUp(ending: Ending): Promise<void> {
    if (ending !== '' && status.instances.length > 0) await forget(status.instances);
  }

  async function runAgain(): Promise<boolean> {
    child = spawnChild(options);
    status = starting(child);
    try {
      await begin();
      return true;
    } catch (err) {
      if (!stopping.signal.aborted) log.error({ err, process: name }, 'could not start again');
      return false;
    }
  }

  async function runForEver(): Promise<void> {
    for (let attempt = 1; ; ) {
      const ending = await child.exited;
      if (stopping.signal.aborted) return;
      const waitMs = backoffMs(attempt, 500, 30_000, systemRandom);
      report(name, `${ending || 'ended'}; starting it again in ${(waitMs / 1_000).toFixed(1)} s`);
      const cleared = clearUp(ending);
      status = { ...status, pid: undefined, state: 'restarting', instances: [] };
      await Promise.all([cleared, systemClock.sleep(waitMs, stopping.signal).catch(() => undefined)]);
      if (stopping.signal.aborted) return;
      attempt = (await runAgain()) ? 1 : attempt + 1;
    }
  }

  async function stop(): Promise<void> {
    stopping.abort();
    status = { ...status, state: 'stopping' };
    await child.stop();
    await Promise.all([keeping, child.exited.then(clearUp)]);
  }

  return {
    status: () => status,
    begin,
    keepUp: () => {
      keeping = runForEver();
    },
    stop,
  };
}
