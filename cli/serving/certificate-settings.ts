import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

import type { CertificateOptions } from '#discovery';
import { oneOf, refusal, type SettingValues, text } from '#kit';

/** Where the services' certificates come from; apart from what uses it, so that every process knows the names. */
export const CERTIFICATE_SETTINGS = {
  MESH_CERTIFICATES: oneOf(['auto', 'agent', 'sign'], {
    default: 'auto',
    doc: 'Who makes the keys of certificates: the Consul agent, or this process (sign, through Consul\'s gRPC port); auto: this process where that port answers',
  }),
  CONSUL_GRPC_ADDR: text({ default: '', doc: 'Address of Consul\'s gRPC port, such as 127.0.0.1:8502 or https://consul.example:8503; empty: the agent is asked' }),
  CONSUL_GRPC_CACERT: text({ default: '', doc: 'File with the authority, in PEM, that vouches for a gRPC port with TLS; empty: those that Node knows' }),
  CONSUL_TLS_SERVER_NAME: text({ default: '', doc: 'Name in the certificate of Consul\'s gRPC port, where it is not the host, such as server.dc1.consul' }),
};

/** The settings as the control plane takes them. INVALID_SETTING when the authority's file cannot be read. */
export async function certificateOptions(
  values: Partial<SettingValues<typeof CERTIFICATE_SETTINGS>> & { readonly MESH_ADVERTISE: string },
): Promise<CertificateOptions> {
  const { MESH_CERTIFICATES: source = 'auto', CONSUL_GRPC_ADDR: grpcAddress = '', CONSUL_GRPC_CACERT: file = '' } = values;
  return {
    source,
    grpcAddress,
    grpcServerName: values.CONSUL_TLS_SERVER_NAME ?? '',
    ipAddresses: await addressesOf(values.MESH_ADVERTISE),
    ...(file !== '' && { grpcCaPem: await readAuthority(file, 'CONSUL_GRPC_CACERT', 'gRPC port') }),
  };
}

/** A host name stands for the address under which its services are registered. One that cannot be looked up is refused where they start. */
async function addressesOf(advertise: string): Promise<readonly string[]> {
  if (isIP(advertise) > 0) return [advertise];
  return lookup(advertise).then(
    ({ address }) => [address],
    () => [],
  );
}

/** The file that a setting names, in PEM, of who vouches for a port of Consul's. */
export async function readAuthority(path: string, setting: string, port: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw refusal('INVALID_SETTING', `${setting} is ${path}, which cannot be read; name the file with the authority of Consul's ${port}`, { cause });
  }
}
