import { MeshError } from '#kit';

/** The error that a call ends with, as its caller sees it. Fails when the call succeeds or throws something else. */
export async function failureOf(call: Promise<unknown>): Promise<MeshError> {
  const thrown: unknown = await call.then(
    () => new Error('the call was expected to fail'),
    (reason: unknown) => reason,
  );
  if (thrown instanceof MeshError) return thrown;
  throw thrown;
}

/** What a program can read of an error. */
export function readable({ code, reason, metadata, violations }: MeshError): unknown {
  return { code, reason, metadata, violations };
}

/** Every message of a stream. */
export async function allOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const messages: T[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

/** A promise that never settles: work that ignores its signal. */
export function forever(): Promise<never> {
  return new Promise(() => undefined);
}
