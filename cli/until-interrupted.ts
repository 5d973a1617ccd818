/** Ctrl-C, for a command that goes on until then. */
export interface Interrupted {
  /** Aborts at Ctrl-C, which ends nothing by itself meanwhile. */
  readonly signal: AbortSignal;
  /** Ctrl-C does again what it does by itself. */
  forget(): void;
}

export function untilInterrupted(): Interrupted {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt);
  return { signal: controller.signal, forget: () => void process.off('SIGINT', interrupt) };
}
