/** A line as a file has it, without its end. */
export interface RawLine {
  readonly text: string;
  /** Bytes at its end that were too many to keep. */
  readonly droppedBytes: number;
}

/** A line is kept up to this; one of ours, with a stack and its causes, has a few thousand bytes. */
export const MAX_LINE_BYTES = 256 * 1_024;

export const NEWLINE = 0x0a;

/** A line of these parts, in their order. */
export function rawLine(parts: readonly Buffer[], droppedBytes: number): RawLine {
  return { text: Buffer.concat(parts).toString('utf8').replace(/\r$/, ''), droppedBytes };
}
