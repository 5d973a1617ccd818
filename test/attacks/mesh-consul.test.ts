import { startConsul } from '../backends/consul.ts';
import { locateBackend } from '../backends/locate.ts';
import { proveOnMesh } from './prove-on-mesh.ts';

proveOnMesh('Consul', async function () {
  const isMissing = (await locateBackend('consul')) === undefined;
  if (isMissing && process.env['CI'] !== 'true') this.skip();
  return startConsul();
});
