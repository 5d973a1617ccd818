import { ANY_SERVICE } from '#discovery';

/** For a shell, in which * means something else. */
export function quoted(name: string): string {
  return name === ANY_SERVICE ? '\'*\'' : name;
}
