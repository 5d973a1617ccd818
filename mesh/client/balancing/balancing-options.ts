import { type ChannelOptions, experimental } from '@grpc/grpc-js';

import { BALANCING_POLICY_OPTION } from '#discovery';

import type { Destination } from './destination.ts';
import { DESTINATION_OPTION, LEAST_REQUEST, LeastRequestConfig, LeastRequestPolicy } from './least-request-policy.ts';

/**
 * The options of a channel whose calls the destination hands out, to be merged with those of discovery. Connections that
 * are lost are made again after 100, 160, 256 … 1,000 ms, give or take a fifth: grpc-js's own 1 to 120 s are meant for
 * servers that nobody takes off a list.
 */
export function balancingOptions(destination: Destination): ChannelOptions {
  experimental.registerLoadBalancerType(LEAST_REQUEST, LeastRequestPolicy, LeastRequestConfig);
  return {
    [BALANCING_POLICY_OPTION]: LEAST_REQUEST,
    [DESTINATION_OPTION]: destination,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
  };
}
