import { type ChannelOptions, experimental } from '@grpc/grpc-js';

import type { ControlPlane } from './control-plane.ts';
import { CONTROL_PLANE_OPTION, ConsulResolver } from './resolver.ts';

/**
 * The options that a channel to `consul:///<service>` needs. Each channel says
 * which control plane it asks, so one process can have several. They say
 * nothing of balancing: merge them with the options of a policy, which name it
 * under `BALANCING_POLICY_OPTION`. `grpc.service_config` has no effect.
 */
export function discoveryChannelOptions(controlPlane: ControlPlane): ChannelOptions {
  experimental.registerResolver('consul', ConsulResolver);
  return {
    [CONTROL_PLANE_OPTION]: controlPlane,
    // Where the environment names an HTTP proxy, grpc-js would resolve that one's name and never ask us.
    'grpc.enable_http_proxy': 0,
  };
}
