import type { Command } from 'commander';

import type { Output } from '../output.ts';

/** What a command is added with. */
export interface Usage {
  /** Adds a sub-command of `mesh`, such as `call <method> [request]`. */
  readonly command: (usage: string, description: string) => Command;
  readonly output: Output;
  /** Says something on standard error of an answer that is not what it seems, to people and programs alike. */
  readonly warn: (line: string) => void;
  /** Says which exit code the command ends with where that is not 0, and it has not thrown. */
  readonly finish: (exitCode: number) => void;
}
