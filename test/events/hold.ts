/** A place where whoever passes waits until it is opened, for good. */
export interface Hold {
  pass(): Promise<void>;
  /** Somebody has come. */
  isReached(): boolean;
  open(): void;
}

export function createHold(): Hold {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isReached = false;
  return {
    async pass() {
      isReached = true;
      await promise;
    },
    isReached: () => isReached,
    open: resolve,
  };
}
