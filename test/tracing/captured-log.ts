import { createLog, type Log } from '#kit';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A log whose lines a test can read. */
export function captureLog(level = 'info'): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  // pino writes one JSON object a line.
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  return { log: createLog({ level, destination }), lines };
}
