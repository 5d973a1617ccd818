import type { ChannelOptions } from '@grpc/grpc-js';

/**
 * How our channels are set up, wherever they lead. Windows: HTTP/2 begins with 64 KB for a call and for the whole
 * connection, which 16 answers of 4 KB fill. Keepalive (gRFC A8): a server that was cut off without a word is given up
 * after 20 + 5 s instead of the 15 minutes that TCP takes; also while no call is open, so that the next one finds a
 * connection that works. Our servers permit 10 pings a second. No channelz: its counting takes a tenth of a call's time, and
 * nobody reads it.
 */
export const channelOptions: ChannelOptions = {
  'grpc.enable_channelz': 0,
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
};
