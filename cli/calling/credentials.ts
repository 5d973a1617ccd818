import { refusal } from '#kit';
import { DEMO_ACCOUNTS } from '#modules';

import { closestName } from '../did-you-mean.ts';
import { askPassword } from './ask-password.ts';

/** What somebody signs in with. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
  /** Of the accounts whose password everybody knows. */
  readonly isDemo: boolean;
}

/**
 * What `--as NAME` signs in with: a demo account's name, or an address, whose password is in MESH_PASSWORD or is asked for.
 * Never from an argument: those are seen by everybody on the machine, and kept by shells.
 */
export async function readCredentials(name: string, { MESH_PASSWORD }: { readonly MESH_PASSWORD: string }, ask: (whose: string) => Promise<string> = askPassword): Promise<Credentials> {
  const demo = DEMO_ACCOUNTS.find(({ userId }) => userId === name);
  if (demo) return { email: demo.email, password: demo.password, isDemo: true };
  if (name.includes('@')) return { email: name, password: MESH_PASSWORD || (await ask(name)), isDemo: false };
  const names = DEMO_ACCOUNTS.map(({ userId }) => userId);
  const meant = closestName(name, names);
  throw refusal('INVALID_ARGUMENT', `--as: there is no ${name}${meant ? `; did you mean ${meant}?` : ''} (give a mail address, or a demo account: ${names.join(', ')})`);
}
