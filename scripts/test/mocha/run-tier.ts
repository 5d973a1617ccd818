import type { TestResult } from '../results.ts';
import { type FilesRun, runFiles } from './run-files.ts';

export type TierRun = Omit<FilesRun, 'print' | 'files'> & {
  /** Files that share a process, in the order in which they are started. */
  readonly groups: readonly (readonly string[])[];
  /** Processes at the same time. With more than one, the output of each is shown when it is through. */
  readonly jobs: number;
};

export async function runTier({ groups, jobs, ...run }: TierRun): Promise<TestResult[]> {
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
export function dealt(files: readonly string[], hands: number): string[][] {
  return Array.from({ length: Math.min(hands, files.length) }, (_, hand) => files.filter((_file, index) => index % hands === hand));
}
