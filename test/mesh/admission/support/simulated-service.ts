import { create } from '@bufbuild/protobuf';

import { refusal } from '#kit';

import type { Invoke, Reply, ServerCall } from '../../../../mesh/call.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Handlers that stand in one line for a fixed number of workers, first come first served, and cannot be called back. */
export interface WorkerPool {
  /** Takes `serviceMs` once a worker is free. */
  work(serviceMs: number): Promise<void>;
  /** No worker begins anything new for so long. */
  stall(ms: number): void;
}

export function createWorkerPool({ after }: VirtualTime, workers: number): WorkerPool {
  const waiting: (() => void)[] = [];
  let idle = workers;
  let stalled = false;

  function serve(): void {
    while (!stalled && idle > 0 && waiting.length > 0) {
      idle -= 1;
      waiting.shift()?.();
    }
  }

  return {
    work: (serviceMs) =>
      new Promise((resolve) => {
        waiting.push(() =>
          after(serviceMs, () => {
            idle += 1;
            resolve();
            serve();
          }),
        );
        serve();
      }),
    stall(ms) {
      stalled = true;
      after(ms, () => {
        stalled = false;
        serve();
      });
    },
  };
}

/** A handler that does its work, however late it is. */
export function answerAfter(work: () => Promise<void>): Invoke<ServerCall> {
  return async ({ method }) => {
    await work();
    return create(method.desc.output);
  };
}

/** A handler that waits for somebody else, and stops waiting at its deadline. */
export function answerInTime({ after, clock }: VirtualTime, work: () => Promise<void>): Invoke<ServerCall> {
  return ({ method, deadline }) =>
    new Promise<Reply>((resolve, reject) => {
      after(deadline - clock.now(), () => reject(refusal('DEADLINE_EXCEEDED', 'too late')));
      void work().then(() => resolve(create(method.desc.output)));
    });
}
