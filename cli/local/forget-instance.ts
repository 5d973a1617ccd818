import { consulOrigin } from '../serving/consul-origin.ts';
import type { Resolved } from '../settings.ts';

const TIMEOUT_MS = 5_000;

/**
 * Takes an instance out of the registry for a process that can no longer do so itself.
 * Left to its check it would be shown as critical for a minute or two.
 *
 * `PUT /v1/agent/service/deregister/:id`; an id that the agent does not know is no error
 * (https://developer.hashicorp.com/consul/api-docs/agent/service#deregister-service).
 */
export async function forgetInstance(id: string, { values }: Resolved): Promise<void> {
  const { CONSUL_HTTP_ADDR: address, CONSUL_HTTP_TOKEN: token } = values;
  const response = await fetch(`${consulOrigin(address)}/v1/agent/service/deregister/${encodeURIComponent(id)}`, {
    method: 'PUT',
    headers: { connection: 'close', ...(token !== '' && { 'x-consul-token': token }) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok && response.status !== 404) throw new Error(`the registry answers ${response.status} to the deregistration of ${id}`);
}
