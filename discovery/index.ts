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
export { type EmbeddedAgent, type EmbeddedAgentOptions, startEmbeddedAgent } from './embedded-agent.ts';
export { newInstanceId } from './instance-id.ts';
