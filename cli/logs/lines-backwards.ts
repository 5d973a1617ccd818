import type { FileHandle } from 'node:fs/promises';

import { MAX_LINE_BYTES, NEWLINE, rawLine, type RawLine } from './raw-line.ts';

const CHUNK_BYTES = 64 * 1_024;

/**
 * The lines of a file before `endBytes`, the last one first, empty ones left out. However large the file and its lines
 * are, one chunk and one line of it are in memory.
 */
export async function* linesBackwards(handle: FileHandle, endBytes: number): AsyncGenerator<RawLine> {
  const line = createHeadFirst();
  for (let position = endBytes; position > 0; ) {
    const length = Math.min(CHUNK_BYTES, position);
    position -= length;
    let rest = await readAt(handle, position, length);
    for (let newline = rest.lastIndexOf(NEWLINE); newline !== -1; newline = rest.lastIndexOf(NEWLINE)) {
      line.prepend(rest.subarray(newline + 1));
      const whole = line.take();
      if (whole.text !== '') yield whole;
      rest = rest.subarray(0, newline);
    }
    line.prepend(rest);
  }
  const first = line.take();
  if (first.text !== '') yield first;
}

/** Where the last whole line before `endBytes` ends: what comes after is still being written. */
export async function endOfLines(handle: FileHandle, endBytes: number): Promise<number> {
  for (let position = endBytes; position > endBytes - MAX_LINE_BYTES && position > 0; ) {
    const length = Math.min(CHUNK_BYTES, position);
    position -= length;
    const newline = (await readAt(handle, position, length)).lastIndexOf(NEWLINE);
    if (newline !== -1) return position + newline + 1;
  }
  return endBytes <= MAX_LINE_BYTES ? 0 : endBytes;
}

/** Shorter than `length` where the file has become shorter. */
async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** A line that comes in parts, its end first. Of one that is too long its head is kept, which says what it is. */
function createHeadFirst(): { prepend(part: Buffer): void; take(): RawLine } {
  let parts: Buffer[] = [];
  let size = 0;
  let droppedBytes = 0;

  function dropTail(): void {
    for (let last = parts.at(-1); last !== undefined && size > MAX_LINE_BYTES; last = parts.at(-1)) {
      const excess = Math.min(last.length, size - MAX_LINE_BYTES);
      if (excess === last.length) parts.pop();
      else parts[parts.length - 1] = last.subarray(0, last.length - excess);
      size -= excess;
      droppedBytes += excess;
    }
  }

  return {
    prepend(part) {
      if (part.length === 0) return;
      parts.unshift(part);
      size += part.length;
      dropTail();
    },
    take() {
      const line = rawLine(parts, droppedBytes);
      [parts, size, droppedBytes] = [[], 0, 0];
      return line;
    },
  };
}
