import { isWanted, type LineFilter, mayBeWanted } from './line-filter.ts';
import { linesBackwards } from './lines-backwards.ts';
import type { OpenLog } from './log-files.ts';
import { type LogLine, readLine } from './log-line.ts';

export interface RecentLines {
  /** The oldest first. */
  readonly lines: readonly LogLine[];
  /** Why there are older ones that are not among them: they would have been too many bytes, or more than the limit. */
  readonly cutBy: 'bytes' | 'limit' | undefined;
}

/** A line and when it was written, or at the latest. */
interface Stamped {
  readonly line: LogLine;
  readonly timeMs: number;
  readonly bytes: number;
}

/** What the lines of one answer may weigh. */
export const MAX_MEGABYTES = 64;
const MAX_BYTES = MAX_MEGABYTES * 2 ** 20;

/** The last `limit` wanted lines of all files, by time. Read from the ends of the files; of each only what is needed. */
export async function recentLines(logs: readonly OpenLog[], filter: LineFilter, limit: number): Promise<RecentLines> {
  const readers = logs.map((log) => stampedLines(log, filter));
  const heads = await Promise.all(readers.map(async (reader) => (await reader.next()).value as Stamped | undefined));
  const lines: LogLine[] = [];
  let bytes = 0;
  for (;;) {
    const latest = indexOfLatest(heads);
    const head = heads[latest];
    if (head === undefined) return { lines: lines.reverse(), cutBy: undefined };
    if (lines.length >= limit) return { lines: lines.reverse(), cutBy: 'limit' };
    bytes += head.bytes;
    if (bytes > MAX_BYTES) return { lines: lines.reverse(), cutBy: 'bytes' };
    lines.push(head.line);
    heads[latest] = (await readers[latest]?.next())?.value as Stamped | undefined;
  }
}

/** The wanted lines of one file, the last one first. */
async function* stampedLines({ file, handle, endBytes, modifiedMs }: OpenLog, filter: LineFilter): AsyncGenerator<Stamped, undefined> {
  const { sinceMs = -Infinity } = filter;
  // A line that says no time was written before the one below it, and the last one when the file was.
  let timeMs = modifiedMs;
  for await (const raw of linesBackwards(handle, endBytes)) {
    if (timeMs < sinceMs) return;
    if (!mayBeWanted(raw.text, filter)) continue;
    const line = readLine(raw, file);
    if (line.kind === 'entry') timeMs = line.timeMs ?? timeMs;
    if (timeMs >= sinceMs && isWanted(line, filter)) yield { line, timeMs, bytes: raw.text.length };
  }
}

/** Of equals the last, always: then the lines of one file stay together. */
function indexOfLatest(heads: readonly (Stamped | undefined)[]): number {
  let latest = -1;
  for (const [index, head] of heads.entries()) {
    if (head !== undefined && head.timeMs >= (heads[latest]?.timeMs ?? -Infinity)) latest = index;
  }
  return latest;
}
