import { startConsul } from '../backends/consul.ts';
import { locateBackend } from '../backends/locate.ts';
import { describeConsul } from './conformance.ts';

describeConsul('Consul', async function () {
  const isMissing = (await locateBackend('consul')) === undefined;
  if (isMissing && process.env['CI'] !== 'true') this.skip();
  return startConsul();
});
