import type { X509Certificate } from 'node:crypto';

/**
 * The URIs among a certificate's alternative names. Undefined when a name holds characters that Node has to quote:
 * no certificate of a service has such, and whoever splits them wrong believes a name that is none.
 */
export function uriNames({ subjectAltName = '' }: Pick<X509Certificate, 'subjectAltName'>): readonly string[] | undefined {
  if (subjectAltName.includes('"')) return undefined;
  const names = subjectAltName.split(', ');
  return names.filter((name) => name.startsWith('URI:')).map((name) => name.slice('URI:'.length));
}
