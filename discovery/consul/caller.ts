import type { ConsulAddress } from './address.ts';
import { consulFailure, unavailable } from './failure.ts';
import { type ConsulPackage, createCallContext, openPackage, type PackageOptions } from './package.ts';
import { blockingQuery, type BlockingRead, blockingTimeoutMs } from './query.ts';

export interface CallerOptions {
  readonly address: ConsulAddress;
  /** Sent as the header `X-Consul-Token`. */
  readonly token?: string;
  /** For one call that does not block. Default 5,000. */
  readonly requestTimeoutMs?: number;
}

/** Runs calls of the package: bounded in time, abortable, with errors of ours. */
export interface Caller {
  /** Consul's address, for people. */
  readonly url: string;
  readonly consul: ConsulPackage;
  /** What a request below the package's functions must send; the others add it themselves. */
  readonly headers: Readonly<Record<string, string>>;
  call<T>(run: (options: PackageOptions) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** As `call`, for a read that may wait for a change. */
  read<T>(read: BlockingRead, run: (options: PackageOptions) => Promise<T>): Promise<T>;
  /** Closes every socket, and so ends every call under way. */
  close(): void;
}

export function createCaller({ address, token, requestTimeoutMs = 5_000 }: CallerOptions): Caller {
  const { url } = address;
  const consul = openPackage(address, token);
  let closed = false;

  async function run<T>(timeout: number, signal: AbortSignal | undefined, start: (options: PackageOptions) => Promise<T>) {
    signal?.throwIfAborted();
    if (closed) throw unavailable('refused', 'the connection to Consul is closed: the process is stopping');
    const ctx = createCallContext();
    const cancel = (): void => void ctx.emit('cancel');
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await start({ ctx, timeout });
    } catch (thrown) {
      signal?.throwIfAborted();
      throw consulFailure(thrown, url);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  return {
    url,
    consul,
    headers: token === undefined ? {} : { 'x-consul-token': token },
    call: (start, signal) => run(requestTimeoutMs, signal, start),
    read: (read, start) =>
      run(read.index > 0 ? blockingTimeoutMs(read.waitMs) : requestTimeoutMs, read.signal, (options) =>
        start({ ...options, ...blockingQuery(read) }),
      ),
    close: () => {
      closed = true;
      consul.destroy();
    },
  };
}
