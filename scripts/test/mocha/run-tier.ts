import type { TestResult } from '../results.ts';
import { type FilesRun, runFiles } from './run-files.ts';

export type TierRun = Omit<FilesRun, 'print'> & {
  /** Files share a process, as many of them as there are jobs; false: each has its own, so that what it leaves behind has a name. */
  readonly together: boolean;
  /** Processes at the same time. With more than one, the output of each is shown when it is through. */
  readonly jobs: number;
};

export async function runTier({ together, jobs, files, ...run }: TierRun): Promise<TestResult[]> {
  if (files.length === 0) return [];
  const groups = together ? dealt(files, jobs) : files.map((file) => [file]);
  const print = jobs === 1 || groups.length === 1 ? undefined : (text: string) => void process.stdout.write(text);
  const results: TestResult[] = [];
  const queue = groups.values();
  const work = async (): Promise<void> => {
    for (const group of queue) {
      if (run.signal.aborted) return;
      results.push(...(await runFiles({ ...run, files: group, print })));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return results;
}

/** The files in so many hands, dealt one by one: neighbours are alike, and alike in how long they take. */
function dealt(files: readonly string[], hands: number): string[][] {
  return Array.from({ length: Math.min(hands, files.length) }, (_, hand) => files.filter((_file, index) => index % hands === hand));
}
