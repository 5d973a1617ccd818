import type { Figure } from './figure.ts';

/** What a benchmark gets. Progress goes to standard error, so that `--json` stays clean. */
export interface BenchOptions {
  readonly progress: (line: string) => void;
  /** Fewer and shorter slices: shows that it works, not how fast. */
  readonly quick: boolean;
}

export type Bench = (options: BenchOptions) => Promise<readonly Figure[]>;
