import { startConsul } from '../backends/consul.ts';
import { locateBackend } from '../backends/locate.ts';
import { proveOnShop } from './prove-on-shop.ts';

proveOnShop('Consul', async function () {
  const isMissing = (await locateBackend('consul')) === undefined;
  if (isMissing && process.env['CI'] !== 'true') this.skip();
  const { httpAddr, stop } = await startConsul();
  return { settings: { CONSUL_HTTP_ADDR: httpAddr }, stop };
});
