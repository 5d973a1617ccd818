import type { ConsulOptions } from '#discovery';
import { type SettingValues, text } from '#kit';

import { type CERTIFICATE_SETTINGS, certificateOptions, readAuthority } from './certificate-settings.ts';

/** What leads to Consul, and opens it; apart from what uses it, so that every process knows the names. */
export const CONSUL_SETTINGS = {
  CONSUL_HTTP_ADDR: text({ default: 'http://127.0.0.1:8500', doc: 'Address of the Consul agent; `mesh up` brings a stand-in when it is not set' }),
  CONSUL_HTTP_TOKEN: text({ default: '', secret: true, doc: 'ACL token for Consul; empty: none' }),
  CONSUL_HTTP_TOKEN_FILE: text({ default: '', doc: 'File with that token, in place of CONSUL_HTTP_TOKEN; read before each request, so that the token can be replaced while processes run' }),
  CONSUL_CACERT: text({ default: '', doc: 'File with the authority, in PEM, that vouches for an HTTPS address of Consul; empty: those that Node knows' }),
};

type Values = SettingValues<typeof CONSUL_SETTINGS> & SettingValues<typeof CERTIFICATE_SETTINGS> & { readonly MESH_ADVERTISE: string };

/** The settings as the control plane takes them. INVALID_SETTING when an authority's file cannot be read. */
export async function consulOptions(values: Values): Promise<Pick<ConsulOptions, 'address' | 'token' | 'tokenFile' | 'caPem' | 'certificates'>> {
  const { CONSUL_HTTP_ADDR: address, CONSUL_HTTP_TOKEN: token, CONSUL_HTTP_TOKEN_FILE: tokenFile, CONSUL_CACERT: file } = values;
  const certificates = await certificateOptions(values);
  return { address, token, tokenFile, certificates, ...(file !== '' && { caPem: await readAuthority(file, 'CONSUL_CACERT', 'HTTPS port') }) };
}
