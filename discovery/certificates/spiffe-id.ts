/** Who a certificate says that its holder is (https://developer.hashicorp.com/consul/docs/connect/ca). */
export interface SpiffeId {
  readonly trustDomain: string;
  readonly datacenter: string;
  readonly service: string;
}

/**
 * Namespace and partition are the default ones: the open source Consul knows no others. No
 * escapes: a name that needs one is no name of a service, and there are two ways to read it.
 */
const SERVICE_ID = /^spiffe:\/\/([a-z0-9.-]{1,255})\/ns\/default\/dc\/([A-Za-z0-9_-]{1,64})\/svc\/([A-Za-z0-9._-]{1,128})$/;

/** Undefined when it is not the id of a service. */
export function readSpiffeId(uri: string): SpiffeId | undefined {
  const [, trustDomain = '', datacenter = '', service = ''] = SERVICE_ID.exec(uri) ?? [];
  return service === '' ? undefined : { trustDomain, datacenter, service };
}

export function spiffeUri({ trustDomain, datacenter, service }: SpiffeId): string {
  return `spiffe://${trustDomain}/ns/default/dc/${datacenter}/svc/${service}`;
}
