/** Runs `work` so many at once until the time is over, or the first has ended; resolves with how many ended in each second. */
export async function keepRunning(work: () => Promise<unknown>, { inFlight, ms }: { readonly inFlight: number; readonly ms: number }): Promise<number> {
  const began = performance.now();
  let lastEnded = began;
  let ended = 0;
  const isOver = (): boolean => performance.now() - began >= ms;
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      await work();
      // A machine may be so busy that a short slice ends without one: then it lasts until there is one.
      if (isOver() && ended > 0) return;
      ended += 1;
      lastEnded = performance.now();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (ended * 1_000) / Math.max(ms, lastEnded - began);
}
