import { open } from 'node:fs/promises';
import { errorCode, type Log, MeshError, refusal } from '#kit';

/** The token that goes with every request to Consul. */
export interface ConsulToken {
  /** Reads it anew where it stands in a file. Fails with INVALID_SETTING only while it has never been read. */
  refresh(): Promise<void>;
  /** As read last; undefined: none. */
  current(): string | undefined;
  /** How often another has taken its place. */
  changes(): number;
}

export interface TokenFileOptions {
  /** CONSUL_HTTP_TOKEN_FILE. */
  readonly path: string;
  readonly log: Log;
}

/** More than any token of Consul has: they are UUIDs. */
const MAX_TOKEN_BYTES = 4_096;

/** A token that stays. Empty, as a setting that is not set: none. */
export function fixedToken(text: string | undefined): ConsulToken {
  const token = text === '' ? undefined : text;
  return { refresh: async () => undefined, current: () => token, changes: () => 0 };
}

/**
 * The token in a file, read before each request, so that who writes another one there replaces it in a process that runs.
 * While the file cannot be read the last token goes on: a program that writes it may be between removing and renaming.
 */
export function tokenFromFile({ path, log }: TokenFileOptions): ConsulToken {
  let current: string | undefined;
  let changes = 0;
  let isFailing = false;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      const token = await readToken(path);
      if (current !== undefined && current !== token) {
        changes += 1;
        log.info({ file: path }, 'Consul is asked with the new token in CONSUL_HTTP_TOKEN_FILE from now on');
      }
      current = token;
      isFailing = false;
    } catch (thrown) {
      if (current === undefined) throw thrown;
      if (!isFailing) log.warn({ reason: MeshError.from(thrown).message }, 'the token of Consul cannot be read; going on with the last one');
      isFailing = true;
    }
  }

  return {
    // Shared by all who ask at once: an older answer cannot come after a newer one.
    refresh: () => (reading ??= read().finally(() => (reading = undefined))),
    current: () => current,
    changes: () => changes,
  };
}

async function readToken(path: string): Promise<string> {
  const text = await readBeginning(path).catch((cause: unknown) => {
    throw unusable(path, `cannot be read (${errorCode(cause) ?? 'no file'})`);
  });
  // What cannot stand in a header is no token. The text itself is never shown.
  if (!/^[\x21-\x7e]+$/.test(text) || text.length > MAX_TOKEN_BYTES) throw unusable(path, 'does not hold one token and nothing else');
  return text;
}

async function readBeginning(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_TOKEN_BYTES + 2), 0);
    return buffer.toString('latin1', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}

function unusable(path: string, why: string): MeshError {
  return refusal('INVALID_SETTING', `CONSUL_HTTP_TOKEN_FILE is ${path}, which ${why}; name the file with the token of Consul`);
}
