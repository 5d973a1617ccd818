import { userInfo } from 'node:os';

/** What the machine knows of who runs this process. */
export interface MachineUser {
  /** Throws where the uid has no entry in the user database, as in a container that runs under any uid. */
  readonly username: () => string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly uid: number | undefined;
}

/** A name to stand behind what is ordered, where no other is given: the user's, else $USER, else such as `uid-1000`. */
export function whoAmI({ username, environment, uid }: MachineUser = thisUser()): string {
  return triedName(username) || environment['USER'] || `uid-${uid ?? 'unknown'}`;
}

function thisUser(): MachineUser {
  return { username: () => userInfo().username, environment: process.env, uid: process.getuid?.() };
}

function triedName(username: () => string): string {
  try {
    return username();
  } catch {
    return '';
  }
}
