import { backoffMs, type Clock, type Log, MeshError, type Random } from '#kit';

import type { Served } from '../serving/serve.ts';
import { type Child, type ChildOptions, type Ending, spawnChild } from './child.ts';
import type { ProcessStatus } from './control-messages.ts';
import type { Environment } from './environment.ts';
import { createRestarts, type Life } from './restarts.ts';

export interface ManagedProcessOptions {
  readonly child: ChildOptions;
  /** The settings that lead to its servers, once those are there. */
  readonly environment: () => Promise<Environment>;
  /** Told of instances that died without taking leave. */
  readonly forget: (instances: readonly string[]) => Promise<void>;
  readonly report: (name: string, what: string) => void;
  /** For people: how to try again what was given up. */
  readonly howToRetry: () => string;
  /** A life this long is a good one: the next restart is a first one again. */
  readonly steadyMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A status but for what stays the same. */
type State =
  | { readonly state: 'starting' | 'ready' | 'stopping'; readonly pid: number | undefined }
  | { readonly state: 'restarting' | 'given-up'; readonly pid: undefined; readonly reason: string };

/**
 * A process that runs services and is run again when it ends by itself. A class, since it
 * is a state machine: starting, ready, restarting, given up, stopping. Constructed, it
 * loads its code and waits for `begin` or `keepUp`.
 */
export class ManagedProcess {
  readonly #options: ManagedProcessOptions;
  readonly #stopping = new AbortController();
  #child: Child;
  #state: State;
  #startedAt: number;
  #served: readonly Served[] = [];
  #serving: Promise<readonly Served[]> | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(options: ManagedProcessOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#child = spawnChild(options.child);
    this.#state = { state: 'starting', pid: this.#child.pid };
  }

  status(): ProcessStatus {
    const { name, services } = this.#options.child;
    return { name, services, instances: this.#served.map(({ id }) => id), startedAt: this.#startedAt, ...this.#state };
  }

  /** What its services serve on; empty while they do not. */
  served(): readonly Served[] {
    return this.#served;
  }

  /** Resolves when its services serve, rejects with the reason why not. */
  begin(): Promise<readonly Served[]> {
    return (this.#serving ??= this.#begin());
  }

  /** From now on it is run again when it ends by itself, after about 0.5, 1, 2 … 30 s; begins where it has not. */
  keepUp(): void {
    this.#keeping = this.#runOn().catch((thrown: unknown) => this.#abandon(thrown));
  }

  /** Tries again what was given up. */
  retry(): void {
    if (this.#state.state !== 'given-up') return;
    this.#spawn();
    this.keepUp();
  }

  /** Resolves when it serves, is given up, or was told to stop. */
  async settled(): Promise<void> {
    while (this.#state.state === 'starting' || this.#state.state === 'restarting') await this.#changed.promise;
  }

  /** Ends the calls it has, and the process. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#become({ state: 'stopping', pid: this.#state.pid });
    await this.#child.stop();
    // Stopped before it was kept up, nobody else clears up after it.
    await Promise.all([this.#keeping, this.#child.exited.then((ending) => this.#clearUp(ending))]);
  }

  async #begin(): Promise<readonly Served[]> {
    const { child, environment, report } = this.#options;
    const served = await this.#child.start(await environment());
    this.#served = served;
    if (!this.#stopping.signal.aborted) this.#become({ state: 'ready', pid: this.#child.pid });
    for (const { name, address, port } of served) report(served.length === 1 ? child.name : name, `${address}:${port}`);
    return served;
  }

  async #runOn(): Promise<void> {
    const { random, steadyMs } = this.#options;
    const { signal } = this.#stopping;
    const judge = createRestarts(steadyMs);
    for (;;) {
      const { life, why, cleared } = await this.#live();
      if (signal.aborted) return cleared;
      const verdict = judge(life);
      if (verdict.kind === 'give-up') return this.#giveUp(verdict.starts, why);
      await Promise.all([cleared, this.#pause(backoffMs(verdict.attempt, 500, 30_000, random), why)]);
      if (signal.aborted) return;
      this.#spawn();
    }
  }

  /** One life, to its end, and a sentence that says why it ended. */
  async #live(): Promise<{ life: Life; why: string; cleared?: Promise<void> }> {
    const { child, clock, log } = this.#options;
    try {
      await this.begin();
    } catch (thrown) {
      const error = MeshError.from(thrown);
      if (!this.#stopping.signal.aborted) log.error({ err: error, process: child.name }, 'could not start');
      await this.#child.stop();
      // The report begins with its name, as the sentence does.
      return { life: { kind: 'failed', error }, why: error.message.replace(`${child.name} `, '') };
    }
    const servesSince = clock.now();
    const ending = await this.#child.exited;
    return { life: { kind: 'served', forMs: clock.now() - servesSince }, why: ending || 'ended', cleared: this.#clearUp(ending) };
  }

  async #pause(waitMs: number, why: string): Promise<void> {
    const { clock } = this.#options;
    this.#warn(`${why}; starting it again in ${(waitMs / 1_000).toFixed(1)} s`);
    this.#become({ state: 'restarting', pid: undefined, reason: why });
    await clock.sleep(waitMs, this.#stopping.signal).catch(() => undefined);
  }

  #giveUp(starts: number, why: string): void {
    this.#become({ state: 'given-up', pid: undefined, reason: why });
    this.#warn(`${why}; given up after ${starts} starts that failed: mend it, then \`${this.#options.howToRetry()}\` tries again`);
  }

  /** On the terminal, and in the log: of a detached shop nobody reads the terminal. */
  #warn(what: string): void {
    const { child, report, log } = this.#options;
    report(child.name, what);
    log.warn({ process: child.name }, `${child.name} ${what}`);
  }

  /** Nothing that keeps a process up is expected to fail. If it does, this one is lost and not the whole shop. */
  async #abandon(thrown: unknown): Promise<void> {
    const { child, log } = this.#options;
    await this.#child.stop();
    this.#served = [];
    if (this.#stopping.signal.aborted) return;
    this.#become({ state: 'given-up', pid: undefined, reason: `could not be kept up (${thrown instanceof Error ? thrown.message : String(thrown)})` });
    log.error({ err: thrown, process: child.name }, 'could not be kept up');
  }

  #spawn(): void {
    const { child, clock } = this.#options;
    this.#child = spawnChild(child);
    this.#startedAt = clock.now();
    this.#serving = undefined;
    this.#become({ state: 'starting', pid: this.#child.pid });
  }

  #become(state: State): void {
    this.#state = state;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** A process that ended well has withdrawn its registrations itself. */
  async #clearUp(ending: Ending): Promise<void> {
    const instances = this.#served.map(({ id }) => id);
    this.#served = [];
    if (ending !== '' && instances.length > 0) await this.#options.forget(instances);
  }
}
