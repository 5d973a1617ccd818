import { type ChannelOptions, experimental } from '@grpc/grpc-js';

import type { ControlPlane } from './control-plane.ts';
import { CONTROL_PLANE_OPTION, ConsulResolver } from './resolver.ts';

/**
 * The options that a channel to `consul:///<service>` needs. Each channel says
 * which control plane it asks, so one process can have several. The balancing
 * policy comes from the resolver: `grpc.service_config` has no effect beside it.
 */
export function discoveryChannelOptions(controlPlane: ControlPlane): ChannelOptions {
  experimental.registerResolver('consul', ConsulResolver);
  return {
    [CONTROL_PLANE_OPTION]: controlPlane,
    // Where the environment names an HTTP proxy, grpc-js would resolve that one's name and never ask us.
    'grpc.enable_http_proxy': 0,
  };
}
