import type { TestResult } from '../results.ts';

/** What a test process is to do; one JSON argument. */
export type TestOrder = {
  /** Relative to the working directory. */
  readonly files: readonly string[];
  readonly grep: string | undefined;
  readonly color: boolean;
  readonly forbidOnly: boolean;
};

/** What a test process tells the runner, over Node's IPC channel. */
export type TestMessage =
  | { readonly type: 'result'; readonly result: TestResult }
  /** All tests are through; from here on the process should end by itself. */
  | { readonly type: 'end' }
  /** It did not: these keep its event loop alive. */
  | { readonly type: 'held-open'; readonly by: readonly string[] };
