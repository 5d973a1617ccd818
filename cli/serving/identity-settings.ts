import { flag, oneOf } from '#kit';

/** Who may call, and how callers prove who they are; apart from what uses it, so that every process knows the names. */
export const IDENTITY_SETTINGS = {
  MESH_MTLS: oneOf(['strict', 'permissive'], {
    default: 'strict',
    doc: 'Callers without a certificate: strict refuses them, permissive takes them and counts them, also without TLS, while a mesh moves to mTLS',
  }),
  MESH_INTENTIONS_DEFAULT: oneOf(['consul', 'allow', 'deny'], {
    default: 'consul',
    doc: 'What becomes of a call that no intention decides; consul: what its configuration says (default_intention_policy, else its access control lists)',
  }),
  MESH_EXPLORER: flag({
    default: false,
    doc: 'Serve the port of each service in plaintext to this machine, as the caller `explorer`, and mTLS on a free one; `mesh up` sets it where MESH_ADVERTISE is loopback',
  }),
};
