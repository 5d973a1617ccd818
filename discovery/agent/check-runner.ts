import type { Clock, Log } from '#kit';

import type { Catalog } from './catalog.ts';
import { createHealthProbe } from './health-probe.ts';
import type { CheckDefinition, ServiceRecord } from './records.ts';

/** Runs the checks of registered instances. */
export interface CheckRunner {
  /** Starts the checks of an instance, in place of those it had. The first question goes out at once. */
  start(record: ServiceRecord): void;
  end(id: string): void;
  stop(): Promise<void>;
}

export interface CheckRunnerOptions {
  readonly catalog: Pick<Catalog, 'get' | 'report'>;
  /** An instance has been critical for as long as its registration allows. */
  readonly onOverdue: (id: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export function createCheckRunner(options: CheckRunnerOptions): CheckRunner {
  const running = new Map<string, AbortController>();
  const loops = new Set<Promise<void>>();

  function end(id: string): void {
    running.get(id)?.abort();
    running.delete(id);
  }

  return {
    start: (record) => {
      end(record.id);
      const controller = new AbortController();
      running.set(record.id, controller);
      for (const { definition } of record.checks) {
        const loop = runCheck(record.id, definition, options, controller.signal).finally(() => loops.delete(loop));
        loops.add(loop);
      }
    },
    end,
    stop: async () => {
      for (const id of [...running.keys()]) end(id);
      await Promise.all(loops);
    },
  };
}

async function runCheck(
  id: string,
  { checkId, grpc, tls = false, intervalMs, timeoutMs, forgetAfterMs = Infinity }: CheckDefinition,
  { catalog, onOverdue, clock, log }: CheckRunnerOptions,
  signal: AbortSignal,
): Promise<void> {
  const probe = createHealthProbe(grpc, tls);
  const state = () => catalog.get(id)?.checks.find(({ definition }) => definition.checkId === checkId)?.state;
  while (!signal.aborted) {
    const { serving, output } = await probe.ask(timeoutMs, signal);
    if (signal.aborted) break;
    const before = state()?.status;
    catalog.report(id, checkId, serving ? 'passing' : 'critical', output);
    const now = state();
    if (now && now.status !== before) log.info({ instance: id, status: now.status, output }, 'the health of an instance changed');
    if (now && now.criticalSince > 0 && clock.now() - now.criticalSince >= forgetAfterMs) onOverdue(id);
    await clock.sleep(intervalMs, signal).catch(() => undefined);
  }
  probe.close();
}
