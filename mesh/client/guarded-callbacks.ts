import type { Message } from '@bufbuild/protobuf';

import { MeshError } from '#kit';

import { type ClientCall, type ClientInterceptor, type Invoke, isStream, type Reply, streamOf } from '../call.ts';
import type { Headers } from '../headers.ts';

/**
 * `onHeaders` and `onTrailers` are the caller's own code, and run where an error would end the process or leave the call
 * open for ever. One that throws cancels its call, which fails with that error. Calls without them pass as they are.
 */
export const guardedCallbacks: ClientInterceptor = (next) => (call) => (call.onHeaders || call.onTrailers ? guarded(next, call) : next(call));

async function guarded(next: Invoke<ClientCall>, call: ClientCall): Promise<Reply> {
  const cancel = new AbortController();
  let failure: MeshError | undefined;
  const guard = (tell: ((headers: Headers) => void) | undefined) => (headers: Headers) => {
    try {
      tell?.(headers);
    } catch (thrown) {
      failure ??= MeshError.from(thrown);
      cancel.abort();
    }
  };
  async function settled<T>(outcome: Promise<T>): Promise<T> {
    const [result] = await Promise.allSettled([outcome]);
    if (failure) throw failure;
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }
  const { onHeaders, onTrailers, signals } = call;
  const reply = await settled(next({ ...call, signals: [...signals, cancel.signal], onHeaders: guard(onHeaders), onTrailers: guard(onTrailers) }));
  return isStream(reply) ? guardedStream(reply, settled) : reply;
}

function guardedStream(stream: AsyncIterable<Message>, settled: <T>(outcome: Promise<T>) => Promise<T>): AsyncIterable<Message> {
  const source = stream[Symbol.asyncIterator]();
  return streamOf(
    () => settled(source.next()),
    async () => void (await source.return?.()),
  );
}
