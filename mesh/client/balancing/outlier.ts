import type { Ejection } from '../../policy/call-policy.ts';
import { NOISE_MS } from './call-outcome.ts';
import { type CallFigures, middleOf } from './call-window.ts';

/** Why an instance stands out among the others. */
export type Outlier = 'failure-share' | 'latency';

type Limits = Pick<Ejection, 'failurePercentMargin' | 'latencyFactor'>;

/** So many standard deviations from the others are no accident: by luck alone one in 700 judgements is wrong. */
const DEVIATIONS = 3;

/**
 * Compares an instance with the others that were called as much. Failures they share, such as of a database behind them
 * all, single out nobody. With a margin of 15 points, 20 % failures stand out against 2 %, 30 % do not against 20 %. Where
 * many fail, luck alone makes larger differences, so it takes more: of 20 calls each, 84 % against 50 %. So it is with
 * latency: with a factor of 5, 100 ms stand out against a middle of 5 ms; 5 ms against 1 do not, being within noise.
 */
export function outlierOf(own: CallFigures, others: readonly CallFigures[], limits: Limits): Outlier | undefined {
  if (others.length === 0) return undefined;
  const usualPercent = others.reduce((sum, { failurePercent }) => sum + failurePercent, 0) / others.length;
  const luckPercent = DEVIATIONS * Math.sqrt((usualPercent * (100 - usualPercent)) / own.calls);
  if (own.failurePercent > usualPercent + Math.max(limits.failurePercentMargin, luckPercent)) return 'failure-share';
  return isSlow(own.medianMs, usualLatencyMs(others), limits.latencyFactor) ? 'latency' : undefined;
}

/** Whether so many milliseconds stand out where `usualMs` are usual. */
export function isSlow(ms: number | undefined, usualMs: number | undefined, factor: number): boolean {
  return ms !== undefined && usualMs !== undefined && ms > Math.max(usualMs * factor, usualMs + NOISE_MS);
}

/** The middle of the instances' middles. */
export function usualLatencyMs(figures: readonly CallFigures[]): number | undefined {
  return middleOf(figures.map(({ medianMs }) => medianMs).filter((ms) => ms !== undefined));
}
