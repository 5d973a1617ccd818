import { type Invoke, isStream, type ServerCall, streamOf, whenDone } from '../call.ts';

/**
 * A stream of requests lasts no longer than its call. Once the call is over, whoever pulls hears why; once the handler
 * is through, also before the stream's end, its caller is asked for nothing more.
 */
export function boundRequests(next: Invoke<ServerCall>): Invoke<ServerCall> {
  return (call) => {
    const { request, lifetime } = call;
    if (!isStream(request)) return next(call);
    const source = request[Symbol.asyncIterator]();
    // Not awaited: a caller whose stream waits for something of its own hears of it after that.
    const leave = (): void => void Promise.resolve(source.return?.()).catch(() => {});
    lifetime.onEnd(leave);
    call.request = streamOf(
      () =>
        new Promise((resolve, reject) => {
          lifetime.onEnd(reject);
          if (lifetime.reason) return;
          source
            .next()
            .then(resolve, reject)
            .finally(() => lifetime.offEnd(reject));
        }),
      leave,
    );
    return whenDone(next, call, () => {
      lifetime.offEnd(leave);
      leave();
    });
  };
}
