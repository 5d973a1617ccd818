import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

import { type Random, refusal } from '#kit';

/** As Postgres's own `scram_iterations` (RFC 7677 asks for at least that many). */
const ITERATIONS = 4_096;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** Programs prepare what lies beyond in ways of their own (RFC 4013). */
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,512}$/;

/**
 * What Postgres keeps of a password (RFC 5803): sent in its place, the password itself gets into no log of the server.
 * INVALID_SETTING for one that has other characters than printable ASCII.
 */
export async function scramVerifier(password: string, random: Random): Promise<string> {
  if (!PRINTABLE_ASCII.test(password)) {
    throw refusal('INVALID_SETTING', 'the password of a role in DATABASE_URL has to be 1 to 512 characters of printable ASCII; choose another one');
  }
  const salt = random.bytes(SALT_BYTES);
  const salted = await promisify(pbkdf2)(password, salt, ITERATIONS, KEY_BYTES, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  const serverKey = hmac('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${Buffer.from(salt).toString('base64')}$${storedKey}:${serverKey}`;
}
