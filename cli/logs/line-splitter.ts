import { MAX_LINE_BYTES, NEWLINE, rawLine, type RawLine } from './raw-line.ts';

/** Cuts what comes of a file into its lines, empty ones left out. */
export interface LineSplitter {
  push(chunk: Buffer): RawLine[];
  /** What has come of a line without an end, as a line: no more of it comes. */
  flush(): RawLine[];
}

export function createLineSplitter(): LineSplitter {
  let parts: Buffer[] = [];
  let size = 0;
  let droppedBytes = 0;

  function append(part: Buffer): void {
    const kept = part.subarray(0, MAX_LINE_BYTES - size);
    droppedBytes += part.length - kept.length;
    size += kept.length;
    // A copy: the chunk it is part of may be far larger.
    if (kept.length > 0) parts.push(Buffer.from(kept));
  }

  function take(): RawLine[] {
    const line = rawLine(parts, droppedBytes);
    [parts, size, droppedBytes] = [[], 0, 0];
    return line.text === '' ? [] : [line];
  }

  return {
    push(chunk) {
      const lines: RawLine[] = [];
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        append(chunk.subarray(from, end));
        lines.push(...take());
        from = end + 1;
      }
      append(chunk.subarray(from));
      return lines;
    },
    flush: take,
  };
}
