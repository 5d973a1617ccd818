import type { Clocks } from '../../tracing/sdk/span-clock.ts';

export const EPOCH_MS = 1_700_000_000_000;

/** Both clocks at a moment; `ahead` is by how much the wall clock has gone ahead of the monotonic one, in milliseconds. */
export function clocksAt(moment: { readonly ms: number; readonly ahead: number }): Clocks {
  return { wall: () => Math.floor(EPOCH_MS + moment.ms + moment.ahead), monotonic: () => moment.ms, origin: EPOCH_MS };
}

/** The same clocks in a process that another one holds up each time it has read the wall clock. */
export function heldUpFor(holdUp: { readonly ms: number }, moment: { ms: number; ahead: number }): Clocks {
  const clocks = clocksAt(moment);
  const wall = (): number => {
    const wallMs = clocks.wall();
    moment.ms += holdUp.ms;
    return wallMs;
  };
  return { ...clocks, wall };
}
