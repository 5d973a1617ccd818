import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

import { refusal } from '#kit';

/** An argument that is the text itself, `@file`, or `-` for standard input. `what` names it where it cannot be read. */
export async function readText(argument: string, what: string): Promise<string> {
  if (argument === '-') return text(process.stdin);
  if (!argument.startsWith('@')) return argument;
  try {
    return readFileSync(argument.slice(1), 'utf8');
  } catch (cause) {
    throw refusal('INVALID_ARGUMENT', `cannot read ${what} from ${argument.slice(1)}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
