import { createLog, type Log } from '#kit';

export interface MemoryLog {
  readonly log: Log;
  /** Everything that was written, as it would stand in the file. */
  text(): string;
  /** The messages that contain `part`. */
  lines(part: string): readonly string[];
}

export function createMemoryLog(): MemoryLog {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  return {
    log: createLog({ level: 'trace', destination }),
    text: () => written.join(''),
    lines: (part) => written.map((line) => (JSON.parse(line) as { msg: string }).msg).filter((msg) => msg.includes(part)),
  };
}
