import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

import { refusal } from '#kit';

/** Where somebody types, and sees the question. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly screen: Writable;
}

/** What is typed is shown nowhere. */
function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

/** Asks for a password, of which nothing is shown. INVALID_ARGUMENT where nobody is there to ask, CANCELLED by Ctrl-C or Ctrl-D. */
export async function askPassword(whose: string, { input, screen }: Terminal = { input: process.stdin, screen: process.stderr }): Promise<string> {
  if (!input.isTTY) throw refusal('INVALID_ARGUMENT', `there is no terminal to ask for the password of ${whose}; set MESH_PASSWORD`);
  screen.write(`Password of ${whose}: `);
  const lines = createInterface({ input, output: nowhere(), terminal: true, historySize: 0 });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => lines.close());
      // Behind the line this is settled already.
      lines.once('close', () => reject(refusal('CANCELLED', 'no password was given, so nobody was signed in')));
    });
  } finally {
    lines.close();
    screen.write('\n');
  }
}
