import type { Instance, Registration } from '#discovery';

export function instance(id: string, more: Partial<Instance> = {}): Instance {
  const where = { address: '127.0.0.1', port: 1, version: '1', zone: '' };
  return { id, service: 'inventory', ...where, weight: 1, metadata: {}, ...more };
}

export function registration(service: string, id: string, port: number, more: Partial<Registration> = {}): Registration {
  const where = { address: '127.0.0.1', port, version: '1.2.3', zone: 'a' };
  return { service, id, ...where, metadata: { protocol: 'grpc' }, healthService: `shop.${service}`, ...more };
}
