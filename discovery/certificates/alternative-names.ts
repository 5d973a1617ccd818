/**
 * The names besides its identity that a leaf is to have: our own clients check the identity, while grpcurl and most gRPC
 * libraries insist on the host that they were told to connect to.
 */
export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const LOOPBACK = ['127.0.0.1', '::1'];

/** @param ipAddresses where else the service is reached */
export function alternativeNames(service: string, ipAddresses: readonly string[] = []): AlternativeNames {
  const dnsNames = [service, `${service}.service.consul`, 'localhost'];
  return { dnsNames, ipAddresses: [...new Set([...LOOPBACK, ...ipAddresses])] };
}
