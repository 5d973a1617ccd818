import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { simpleParser } from 'mailparser';

import { until } from '../discovery/support/until.ts';
import type { MeshCall } from './mesh-call.ts';

/** Somebody who is signed in. */
export interface Buyer {
  readonly userId: string;
  readonly token: string;
}

const ACCOUNTS = 'shop.user.v1.AccountService';

/** Registers somebody and signs in, as people do: the code is in a mail. `mailFolder` is MESH_MAIL_DIR. */
export async function signUp(call: MeshCall, mailFolder: string): Promise<Buyer> {
  // The contract says what the answer holds.
  const ask = async <T>(method: string, request: object): Promise<T> => JSON.parse(await call(`${ACCOUNTS}/${method}`, JSON.stringify(request))) as T;
  const person = { email: 'buyer@example.com', password: 'correct horse battery' };
  const { verification } = await ask<{ verification: { verificationId: string } }>('Register', { ...person, displayName: 'Buyer' });
  let code: string | undefined;
  await until('the mail is there', async () => (code = await findCode(mailFolder)) !== undefined, 20_000);
  const { account } = await ask<{ account: { userId: string } }>('VerifyEmail', { verificationId: verification.verificationId, code });
  const { tokens } = await ask<{ tokens: { accessToken: string } }>('SignIn', person);
  return { userId: account.userId, token: tokens.accessToken };
}

/** What the only mail says behind "this code makes your account". */
async function findCode(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const mail = names.find((name) => name.endsWith('.eml'));
  if (mail === undefined) return undefined;
  const { text = '' } = await simpleParser(await readFile(join(folder, mail)));
  return /makes your account:\s+(\S+)/.exec(text)?.[1];
}
