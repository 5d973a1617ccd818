import { type ChannelOptions, experimental } from '@grpc/grpc-js';

/** A server of ours gives its callers 5 s for the handshake; as much again is for the way there. */
const CONNECT_LIMIT_MS = 10_000;

/** The prefix keeps it out of the arguments of subchannels, which are compared to find a connection to reuse. */
const CONNECT_LIMIT_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.shopmesh_connect_limit_ms`;

/** The options of a channel that waits so long for a connection, from the first packet to HTTP/2's settings. Default: 10 s. */
export function connectLimitOptions(limitMs: number): ChannelOptions {
  return { [CONNECT_LIMIT_OPTION]: limitMs };
}

export function connectLimitMs(options: ChannelOptions): number {
  // Options have no types of their own; only connectLimitOptions writes this one.
  return (options[CONNECT_LIMIT_OPTION] as number | undefined) ?? CONNECT_LIMIT_MS;
}
