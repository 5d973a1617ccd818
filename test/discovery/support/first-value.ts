import type { MeshError, Stoppable } from '#kit';

/** The first answer of a watch; rejects with its first error. */
export async function firstValue<T>(watch: (onValue: (value: T) => void, onError: (error: MeshError) => void) => Stoppable): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const watching = watch(resolve, reject);
  try {
    return await promise;
  } finally {
    await watching.stop();
  }
}
