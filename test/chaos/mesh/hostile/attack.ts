import type { Random } from '#kit';

/** Whom to be hostile to, and how much. */
export interface Target {
  readonly port: number;
  readonly random: Random;
  /** Share of the full numbers, above 0 and at most 1. */
  readonly scale: number;
}

/** What one kind of hostile peer does. Resolves once it has done it all; what it holds open stays until its process ends. */
export interface Attack {
  readonly name: string;
  run(target: Target): Promise<void>;
}

/** `full`, or the share of it that is asked for. */
export function scaled(full: number, { scale }: Target): number {
  return Math.max(1, Math.round(full * scale));
}

/** Does it `count` times, `atOnce` at a time. */
export async function repeat(count: number, atOnce: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}
