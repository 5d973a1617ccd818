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

/**
 * A process that runs services and is run again when it ends by itself. A class, since it
 * is a state machine: starting, ready, restarting, stopping. Constructed, it loads its
 * code and waits for `begin`.
 */
export class ManagedProcess {
  readonly #options: ManagedProcessOptions;
  readonly #stopping = new AbortController();
  #child: Child;
  #status: ProcessStatus;
  #keeping: Promise<void> = Promise.resolve();

  constructor(options: ManagedProcessOptions) {
    this.#options = options;
    this.#child = spawnChild(options.child);
    this.#status = this.#starting();
  }

  status(): ProcessStatus {
    return this.#status;
  }

  /** Resolves when its services serve, rejects with the reason why not. */
  async begin(): Promise<readonly Served[]> {
    const served = await this.#child.start(await this.#options.environment());
    this.#status = { ...this.#status, state: 'ready', instances: served.map(({ id }) => id) };
    for (const { name, address, port } of served) this.#options.report(name, `${address}:${port}`);
    return served;
  }

  /** From now on it is run again when it ends by itself, after about 0.5, 1, 2 … 30 s. */
  keepUp(): void {
    this.#keeping = this.#runForEver();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#status = { ...this.#status, state: 'stopping' };
    await this.#child.stop();
    await Promise.all([this.#keeping, this.#child.exited.then((ending) => this.#clearUp(ending))]);
  }

  async #runForEver(): Promise<void> {
    const { child, report } = this.#options;
    const { signal } = this.#stopping;
    for (let attempt = 1; ; ) {
      const ending = await this.#child.exited;
      if (signal.aborted) return;
      const waitMs = backoffMs(attempt, 500, 30_000, systemRandom);
      report(child.name, `${ending || 'ended'}; starting it again in ${(waitMs / 1_000).toFixed(1)} s`);
      const cleared = this.#clearUp(ending);
      this.#status = { ...this.#status, pid: undefined, state: 'restarting', instances: [] };
      await Promise.all([cleared, systemClock.sleep(waitMs, signal).catch(() => undefined)]);
      if (signal.aborted) return;
      attempt = (await this.#runAgain()) ? 1 : attempt + 1;
    }
  }

  async #runAgain(): Promise<boolean> {
    const { child, log } = this.#options;
    try {
      this.#child = spawnChild(child);
      this.#status = this.#starting();
      await this.begin();
      return true;
    } catch (err) {
      if (!this.#stopping.signal.aborted) log.error({ err, process: child.name }, 'could not start again');
      return false;
    }
  }

  #starting(): ProcessStatus {
    const { name, services } = this.#options.child;
    return { name, pid: this.#child.pid, state: 'starting', services, instances: [], startedAt: systemClock.now() };
  }

  /** A process that ended well has withdrawn its registrations itself. */
  async #clearUp(ending: Ending): Promise<void> {
    const { instances } = this.#status;
    if (ending !== '' && instances.length > 0) await this.#options.forget(instances);
  }
}
