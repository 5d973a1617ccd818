import type { FileHandle } from 'node:fs/promises';

import type { Clock } from '#kit';

import { createLineSplitter, type LineSplitter } from './line-splitter.ts';
import { keyOf, listLogFiles, type LogFile, type OpenLog, openLog } from './log-files.ts';
import { type LogLine, readLine } from './log-line.ts';

export interface FollowOptions {
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** A file that lines are read from as they come. */
interface Tail {
  readonly file: LogFile;
  readonly handle: FileHandle;
  readonly key: string;
  readonly splitter: LineSplitter;
  positionBytes: number;
  /** Another file has its name now, or none: it is read to its end and left. */
  isLeft: boolean;
}

const LOOK_EVERY_MS = 200;
/** What is read of one file at a time, so that a fast one does not fill the memory. */
const READ_BYTES = 2 ** 20;

/**
 * The lines that processes write from now on, until the signal: into the files that were `opened`, and into those that
 * come, or come anew when a process is run again. What has come at once is in the order of its time. Takes the handles
 * over and closes them.
 */
export async function* followLines(folder: string, opened: readonly OpenLog[], { clock, signal }: FollowOptions): AsyncGenerator<readonly LogLine[], undefined> {
  const tails = new Map(opened.map((log) => [log.key, tailFrom(log, log.endBytes)]));
  try {
    while (!signal.aborted) {
      await updateTails(folder, tails);
      const { lines, isMore } = await readTails(tails, clock);
      if (lines.length > 0) yield lines;
      if (!isMore) await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  } finally {
    await Promise.all([...tails.values()].map(({ handle }) => handle.close()));
  }
  return undefined;
}

function tailFrom({ file, handle, key }: OpenLog, positionBytes: number): Tail {
  return { file, handle, key, splitter: createLineSplitter(), positionBytes, isLeft: false };
}

/** Notices files that are new, and those whose name another has. */
async function updateTails(folder: string, tails: Map<string, Tail>): Promise<void> {
  const present = new Set<string>();
  for (const file of (await listLogFiles(folder)).filter(({ isCurrent }) => isCurrent)) {
    const key = await keyOf(folder, file);
    if (key !== undefined && tails.has(key)) {
      present.add(key);
      continue;
    }
    const log = await openLog(folder, file, { wholeLines: false });
    if (log === undefined) continue;
    present.add(log.key);
    tails.set(log.key, tailFrom(log, 0));
  }
  for (const tail of tails.values()) tail.isLeft = !present.has(tail.key);
}

async function readTails(tails: Map<string, Tail>, clock: Clock): Promise<{ lines: readonly LogLine[]; isMore: boolean }> {
  const stamped: { line: LogLine; timeMs: number }[] = [];
  let isMore = false;
  for (const tail of tails.values()) {
    const { lines, isAtEnd } = await readOn(tail);
    if (isAtEnd && tail.isLeft) {
      lines.push(...tail.splitter.flush().map((raw) => readLine(raw, tail.file)));
      tails.delete(tail.key);
      await tail.handle.close();
    }
    isMore ||= !isAtEnd;
    stamped.push(...stamp(lines, clock.now()));
  }
  return { lines: stamped.sort((a, b) => a.timeMs - b.timeMs).map(({ line }) => line), isMore };
}

async function readOn(tail: Tail): Promise<{ lines: LogLine[]; isAtEnd: boolean }> {
  const { size } = await tail.handle.stat();
  if (size < tail.positionBytes) {
    // Emptied, to be written anew.
    tail.splitter.flush();
    tail.positionBytes = 0;
  }
  const length = Math.min(READ_BYTES, size - tail.positionBytes);
  if (length === 0) return { lines: [], isAtEnd: true };
  const { buffer, bytesRead } = await tail.handle.read(Buffer.allocUnsafe(length), 0, length, tail.positionBytes);
  tail.positionBytes += bytesRead;
  const raw = tail.splitter.push(buffer.subarray(0, bytesRead));
  return { lines: raw.map((line) => readLine(line, tail.file)), isAtEnd: length < READ_BYTES };
}

/** A line that says no time was written before the one below it, and the last one just now. */
function stamp(lines: readonly LogLine[], nowMs: number): { line: LogLine; timeMs: number }[] {
  const stamped = lines.toReversed().map((line) => {
    if (line.kind === 'entry') nowMs = line.timeMs ?? nowMs;
    return { line, timeMs: nowMs };
  });
  return stamped.reverse();
}
