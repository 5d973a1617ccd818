import { type Level, LEVELS, type LogLine } from './log-line.ts';

/** Which lines are wanted. */
export interface LineFilter {
  /** Of a service, or of a process such as `inventory-2`. */
  readonly name?: string | undefined;
  readonly traceId?: string | undefined;
  /** This and more severe. */
  readonly level?: Level | undefined;
  /** Milliseconds since the epoch. */
  readonly sinceMs?: number | undefined;
}

/** Whether a line is wanted, but for its time. What is not structured is an error, since a process fell over it, and of no trace. */
export function isWanted(line: LogLine, { name, traceId, level }: LineFilter): boolean {
  if (line.kind === 'plain' && line.file.isConsole) return false;
  if (name !== undefined && name !== line.service && name !== line.file.process) return false;
  if (traceId !== undefined && (line.kind === 'plain' || line.traceId !== traceId)) return false;
  return level === undefined || LEVELS.indexOf(line.kind === 'plain' ? 'error' : line.level) >= LEVELS.indexOf(level);
}

/** Spares most lines of a large file from being parsed. */
export function mayBeWanted(text: string, { traceId, sinceMs }: LineFilter): boolean {
  return traceId === undefined || sinceMs !== undefined || text.includes(traceId);
}
