// The embedded agent is an entry of its own, `#discovery/agent`: only the process that hosts it loads its code.
export { connectConsul } from './connect.ts';
export type { ConsulControlPlane, ConsulOptions } from './consul/control-plane.ts';
export { discoveryChannelOptions } from './channel-options.ts';
export type {
  ControlPlane,
  Instance,
  InstanceHealth,
  InstanceListener,
  Policy,
  PolicyListener,
  PolicyStore,
  Registration,
} from './control-plane.ts';
export { newInstanceId } from './instance-id.ts';
export { BALANCING_POLICY_OPTION, type InstanceEndpoint, instanceEndpoints } from './resolver.ts';
