import type { Random } from '#kit';

/**
 * How long to wait before the next attempt, after so many: anything between nothing and a bound that doubles (base 25,
 * at most 1,000: up to 25, 50, 100 … 1,000 ms). Full jitter spreads callers that failed together better than a narrow one
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/; gRFC A6 draws likewise).
 */
export function fullJitterMs(attempts: number, baseMs: number, maxMs: number, random: Random): number {
  return random.number() * Math.min(maxMs, baseMs * 2 ** Math.min(attempts - 1, 30));
}
