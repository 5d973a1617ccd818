/** Ctrl-C under npm arrives twice: from the terminal and passed on by npm. Within this time it is one. */
const ONE_KEYPRESS_MS = 1_000;

/** What a shell reports of a program that Ctrl-C ended: 128 and the number of SIGINT. */
export const INTERRUPTED = 130;

/**
 * Resolves at the first of these signals. One that comes more than a second later does
 * what the system does by itself: it ends the process at once, and its children notice
 * and end too.
 */
export function whenSignalled(signals: readonly NodeJS.Signals[]): Promise<void> {
  return new Promise((resolve) => {
    const letGo = (): void => {
      for (const signal of signals) process.off(signal, told);
    };
    const told = (): void => {
      resolve();
      setTimeout(letGo, ONE_KEYPRESS_MS).unref();
    };
    for (const signal of signals) process.on(signal, told);
  });
}

/** Resolves at the next of these signals after the one that was just heard: whoever sends it does not want to wait. */
export async function whenSignalledAgain(signals: readonly NodeJS.Signals[]): Promise<void> {
  await new Promise<void>((resolve) => void setTimeout(resolve, ONE_KEYPRESS_MS).unref());
  await whenSignalled(signals);
}
