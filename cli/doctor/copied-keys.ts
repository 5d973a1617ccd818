import { isGiven } from '../settings.ts';
import { type Finding, type Scene, warn } from './check.ts';

/**
 * Where there are tokens, there are some who must not be others; but Consul's agent keeps the leaves that it makes, and gives
 * each with its key to whoever asks at its HTTP port, also without a token: docs/security.md, "Why `sign`".
 */
export function copiedKeys({ given, settings: { values } }: Scene): readonly Finding[] {
  const hasToken = values.CONSUL_HTTP_TOKEN !== '' || values.CONSUL_HTTP_TOKEN_FILE !== '';
  const source = values.MESH_CERTIFICATES;
  // The registry that `mesh up` brings asks for no token, and signs nothing.
  if (!hasToken || source === 'sign' || !isGiven('CONSUL_HTTP_ADDR', given)) return [];
  const makes = source === 'auto' ? 'may make' : 'makes';
  const says = `with MESH_CERTIFICATES=${source} the Consul agent ${makes} the private keys of certificates, and gives copies to whoever reaches its HTTP port`;
  return [warn(says, 'set MESH_CERTIFICATES=sign, and CONSUL_GRPC_ADDR to its gRPC port')];
}
