import type { Clock } from '#kit';

/** Whether work is done in time. It is not if it fails, and where it is not it goes on unwatched. */
export async function settlesWithin(work: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const settled = new AbortController();
  const inTime = work.then(
    () => true,
    () => false,
  );
  const late = clock.sleep(ms, settled.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([inTime, late]);
  } finally {
    settled.abort();
  }
}
