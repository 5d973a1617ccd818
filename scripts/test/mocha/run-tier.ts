import type { TestResult } from '../results.ts';
import { type FilesRun, runFiles } from './run-files.ts';

/** Groups of files that are run one after another, so many at the same time. */
export type Lane = {
  /** Files that share a process, in the order in which they are started. */
  readonly groups: readonly (readonly string[])[];
  readonly jobs: number;
};

export type TierRun = Omit<FilesRun, 'print' | 'files'> & {
  /** All at the same time. With more than one process at a time, the output of each is shown when it is through. */
  readonly lanes: readonly Lane[];
};

export async function runTier({ lanes, ...run }: TierRun): Promise<TestResult[]> {
  const results: TestResult[] = [];
  const atOnce = lanes.reduce((sum, { groups, jobs }) => sum + Math.min(groups.length, jobs), 0);
  const print = atOnce === 1 ? undefined : (text: string) => void process.stdout.write(text);
  const work = async (queue: Iterator<readonly string[]>): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      if (run.signal.aborted) return;
      results.push(...(await runFiles({ ...run, files: next.value, print })));
    }
  };
  await Promise.all(
    lanes.flatMap(({ groups, jobs }) => {
      const queue = groups.values();
      return Array.from({ length: jobs }, () => work(queue));
    }),
  );
  return results;
}

/** The files in so many hands, dealt one by one: neighbours are alike, and alike in how long they take. */
export function dealt(files: readonly string[], hands: number): string[][] {
  return Array.from({ length: Math.min(hands, files.length) }, (_, hand) => files.filter((_file, index) => index % hands === hand));
}
