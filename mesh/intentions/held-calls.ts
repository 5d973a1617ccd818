import type { MeshError } from '#kit';

import type { ServerCall } from '../call.ts';

/** Calls that are held at once, for each service; one costs what an open call costs. */
const MAX_HELD = 1_000;

/** Calls that came before it was known who may call. */
export interface HeldCalls {
  readonly size: number;
  /** Resolves when they are let on. Rejects when the call is over, and with `refused` where there are too many, or nothing will be learnt any more. */
  wait(call: ServerCall): Promise<void>;
  letOn(): void;
  refuseAll(): void;
}

export function createHeldCalls(refused: () => MeshError): HeldCalls {
  /** What settles each; the reason where it is refused. */
  const held = new Set<(reason?: MeshError) => void>();

  const settleAll = (reason?: MeshError): void => {
    for (const settle of held) settle(reason);
  };

  return {
    get size() {
      return held.size;
    },
    wait({ lifetime }) {
      if (held.size >= MAX_HELD) return Promise.reject(refused());
      return new Promise((resolve, reject) => {
        const settle = (reason?: MeshError): void => {
          held.delete(settle);
          lifetime.offEnd(settle);
          if (reason) reject(reason);
          else resolve();
        };
        held.add(settle);
        // Last, for where the call is over already it leaves at once.
        lifetime.onEnd(settle);
      });
    },
    letOn: () => settleAll(),
    refuseAll: () => settleAll(refused()),
  };
}
