import { locateBackend } from '../../backends/locate.ts';
import { startStripeMock } from '../../backends/stripe-mock.ts';
import { gatewayShapes } from './gateway-shapes.ts';

gatewayShapes('stripe-mock', async () => {
  // In CI a missing backend is a failure, which starting it brings about.
  if (process.env['CI'] !== 'true' && (await locateBackend('stripe-mock')) === undefined) return undefined;
  const { host, port, stop } = await startStripeMock();
  return { url: `http://${host}:${port}`, stop };
});
