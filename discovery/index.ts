// The embedded agent is an entry of its own, `#discovery/agent`: only the process that hosts it loads its code.
export type { CertificateCounts, Certificates, LeafCertificate, ServiceIdentity, TrustBundle } from './certificate.ts';
export { peerService, type PeerVerdict } from './certificates/peer-service.ts';
export { readChain } from './certificates/read-chain.ts';
export type { SpiffeId } from './certificates/spiffe-id.ts';
export { connectConsul } from './connect.ts';
export type { CertificateOptions } from './consul/certificate-source.ts';
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
export {
  ANY_SERVICE,
  type HeaderMatch,
  type Intention,
  type IntentionAction,
  type IntentionListener,
  type IntentionPermission,
  type IntentionRule,
  type IntentionStore,
  type PathMatch,
  precedenceOf,
  type WantedIntention,
} from './intention.ts';
export { EXPLORER_PORT, explorerPortOf } from './explorer-port.ts';
export { newInstanceId } from './instance-id.ts';
export { BALANCING_POLICY_OPTION, type InstanceEndpoint, instanceEndpoints } from './resolver.ts';
