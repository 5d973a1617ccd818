import { systemClock } from '#kit';

/** Ctrl-C under npm arrives twice: from the terminal and passed on by npm. Within this time it is one. */
const ONE_KEYPRESS_MS = 1_000;

/** Resolves at the first of these signals. Asking again, later, ends the process at once: its children notice and end too. */
export function whenSignalled(signals: readonly NodeJS.Signals[]): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const told = (): void => {
      first ??= systemClock.now();
      if (systemClock.now() - first > ONE_KEYPRESS_MS) process.exit(130);
      resolve();
    };
    for (const signal of signals) process.on(signal, told);
  });
}
