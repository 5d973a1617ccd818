import type { Random } from '#kit';

/**
 * An id for a registration: service, host, port and a nonce. Two copies with one
 * id overwrite each other in Consul, and a copy that comes back on its old port
 * must not take over the entry, and the failing check, of the dead one.
 */
export function newInstanceId(service: string, host: string, port: number, random: Random): string {
  const plainHost = host.replaceAll(/[^A-Za-z0-9.-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'any';
  const nonce = Buffer.from(random.bytes(4)).toString('hex');
  return `${service}-${plainHost}-${port}-${nonce}`;
}
