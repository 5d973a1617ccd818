/** One call, as its caller sees it. */
export interface ObservedCall {
  readonly beganMs: number;
  /** Where it was answered. */
  readonly port: number;
}

/**
 * How long after the control plane's word calls still went where they should no more: from the word to the first call that
 * began after the last of those. With calls at 1, 2 and 3 ms of which the one at 1 ms went to an instance that is gone: 2 ms.
 */
export function appliedAfterMs(calls: readonly ObservedCall[], toldMs: number, ports: readonly number[]): number {
  const after = calls.filter(({ beganMs }) => beganMs >= toldMs).sort((one, other) => one.beganMs - other.beganMs);
  const lastStale = after.findLastIndex(({ port }) => !ports.includes(port));
  return (after[lastStale + 1]?.beganMs ?? Infinity) - toldMs;
}
