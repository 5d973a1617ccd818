import { startConsul } from '../backends/consul.ts';
import { locateBackend } from '../backends/locate.ts';
import { describeConsulIntentions } from './conformance-intentions.ts';
import { ask } from './support/http.ts';

const GRPC_EVERYWHERE = { Kind: 'proxy-defaults', Name: 'global', Config: { protocol: 'grpc' } };

describeConsulIntentions('Consul', async function () {
  const isMissing = (await locateBackend('consul')) === undefined;
  if (isMissing && process.env['CI'] !== 'true') this.skip();
  const consul = await startConsul();
  const tell = () => ask(consul.httpAddr, 'PUT', '/v1/config', JSON.stringify(GRPC_EVERYWHERE));
  await tell();
  return {
    ...consul,
    restart: async () => {
      await consul.restart();
      await tell();
    },
  };
});
