import type { Ejection } from '../../policy/call-policy.ts';

/** How many of `listed` instances may be out while others answer: one of 2 or 3, five of 10 (50 %), none of one, and none where ejection is off. */
export function ejectionCap(listed: number, { enabled, maxPercent }: Ejection): number {
  if (!enabled || maxPercent === 0) return 0;
  return Math.max(0, Math.min(listed - 1, Math.max(1, Math.floor((listed * maxPercent) / 100))));
}
