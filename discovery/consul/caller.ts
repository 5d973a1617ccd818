import type { ConsulAddress } from './address.ts';
import { consulFailure, unavailable } from './failure.ts';
import { type ConsulPackage, createCallContext, openPackage, type PackageOptions } from './package.ts';
import { blockingQuery, type BlockingRead, blockingTimeoutMs } from './query.ts';
import { type ConsulToken, fixedToken } from './token.ts';

export interface CallerOptions {
  readonly address: ConsulAddress;
  /** Sent as the header `X-Consul-Token`. Default: none. */
  readonly token?: ConsulToken;
  /** Who vouches for the certificate of an HTTPS address, PEM. Default: the authorities that Node knows. */
  readonly caPem?: string;
  /** For one call that does not block. Default 5,000. */
  readonly requestTimeoutMs?: number;
}

/** Runs calls of the package: bounded in time, abortable, with errors of ours. */
export interface Caller {
  /** Consul's address, for people. */
  readonly url: string;
  readonly consul: ConsulPackage;
  call<T>(run: (options: PackageOptions) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** As `call`, for a read that may wait for a change. */
  read<T>(read: BlockingRead, run: (options: PackageOptions) => Promise<T>): Promise<T>;
  /** Closes every socket, and so ends every call under way. */
  close(): void;
}

export function createCaller({ address, token = fixedToken(undefined), caPem, requestTimeoutMs = 5_000 }: CallerOptions): Caller {
  const { url } = address;
  const consul = openPackage({ address, token, caPem });
  let closed = false;

  async function run<T>(timeout: number, signal: AbortSignal | undefined, start: (options: PackageOptions) => Promise<T>) {
    await token.refresh();
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
