import { silentLog } from '#kit';
import { startCollector } from '#tracing/collector';

import { startJaeger } from '../backends/jaeger.ts';
import { locateBackend } from '../backends/locate.ts';

/** A running trace backend, as the conformance suite sees it. */
export interface TraceBackend {
  readonly otlpUrl: string;
  readonly queryUrl: string;
  stop(): Promise<void>;
}

/** The stand-in and its original. `start` gives undefined where the original is not installed. */
export const traceBackends: readonly { readonly name: string; start(): Promise<TraceBackend | undefined> }[] = [
  {
    name: 'span collector',
    start: () => startCollector({ host: '127.0.0.1', otlpPort: 0, queryPort: 0, log: silentLog }),
  },
  { name: 'Jaeger', start: startJaegerIfFound },
];

async function startJaegerIfFound(): Promise<TraceBackend | undefined> {
  if (!(await isInstalled())) return undefined;
  const jaeger = await startJaeger();
  return { otlpUrl: jaeger.otlpHttpEndpoint, queryUrl: jaeger.queryUrl, stop: () => jaeger.stop() };
}

/** Whether Jaeger is there; throws where nothing may be skipped. */
export async function isInstalled(): Promise<boolean> {
  const path = await locateBackend('jaeger');
  if (path === undefined && process.env['CI'] === 'true')
    throw new Error('Jaeger is not installed, and CI skips nothing: run `npm run backends`.');
  return path !== undefined;
}
