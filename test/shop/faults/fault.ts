import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { errorCode, type Reason } from '#kit';

/** What happens at a point: the process dies, or stands still for a while; the call is refused, it hangs until its deadline, or its answer is lost. */
export type FaultAction = { readonly kind: 'kill' } | { readonly kind: 'stall'; readonly ms: number } | { readonly kind: 'refuse'; readonly reason: Reason } | { readonly kind: 'hang' } | { readonly kind: 'lose' };

/** A trouble that waits for one request. */
export interface Fault {
  /** Such as `serve Charge`, `after step charge`, `before commit order.place`; see faulty.ts for all of them. */
  readonly point: string;
  readonly action: FaultAction;
  /** Trace id of the request it waits for; left out: whoever comes first. */
  readonly traceId?: string;
  /** Every time, not only once. */
  readonly always?: boolean;
}

const ANYBODY = 'anybody';

/** Lays a fault down for the processes that look into this folder. Returns whether it is still there. */
export function armFault(folder: string, fault: Fault): { isArmed(): boolean; disarm(): void } {
  const path = pathOf(folder, fault.traceId ?? ANYBODY, fault.point);
  writeFileSync(path, JSON.stringify(fault));
  return { isArmed: () => existsSync(path), disarm: () => void take(path) };
}

/** The fault that waits at this point for this request. It is gone then, so that whoever goes on does not meet it too. */
export function meetFault(folder: string, traceId: string | undefined, point: string): FaultAction | undefined {
  for (const key of traceId === undefined ? [ANYBODY] : [traceId, ANYBODY]) {
    const path = pathOf(folder, key, point);
    const fault = read(path);
    if (fault && (fault.always || take(path))) return fault.action;
  }
  return undefined;
}

function pathOf(folder: string, key: string, point: string): string {
  return join(folder, `${key} ${point}`);
}

function read(path: string): Fault | undefined {
  try {
    // Written by armFault.
    return JSON.parse(readFileSync(path, 'utf8')) as Fault;
  } catch {
    return undefined;
  }
}

/** False when another process was quicker. */
function take(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return false;
    throw thrown;
  }
}
