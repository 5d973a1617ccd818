import { refusal } from '#kit';

/** Where Consul's gRPC port is. */
export interface GrpcAddress {
  /** `host:port`, with brackets around an IPv6 address. */
  readonly authority: string;
  readonly secure: boolean;
}

/** Reads the forms of CONSUL_GRPC_ADDR: `host:port`, `http://host:port`, `https://host:port`. */
export function parseGrpcAddress(text: string): GrpcAddress {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  const isAddress = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.pathname === '/' && url.search === '';
  if (!isAddress) {
    throw refusal('INVALID_SETTING', 'CONSUL_GRPC_ADDR is not an address of Consul\'s gRPC port; write it like 127.0.0.1:8502 or https://consul.example:8503');
  }
  const secure = url.protocol === 'https:';
  // The scheme's own port is left out of a URL; Consul's are these.
  return { authority: `${url.hostname}:${url.port || (secure ? 8503 : 8502)}`, secure };
}
