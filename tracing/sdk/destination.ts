import { refusal } from '#kit';

import type { TracingOptions } from '../tracing-options.ts';
import type { SpanSender } from './span-sender.ts';

/** Where spans go, and how to get there once there are some. */
export interface Destination {
  /** The address without what may be secret in it. */
  readonly endpoint: string;
  /** Imports the exporter's library, only this one, and opens it. */
  readonly open: () => Promise<SpanSender>;
}

/** The destination that the options name, undefined for `none`. Throws INVALID_SETTING. */
export function chooseDestination(options: TracingOptions, timeoutMs: number): Destination | undefined {
  switch (options.exporter) {
    case 'none':
      return undefined;
    case 'otlp': {
      const url = tracesUrl(parseEndpoint(options.otlpEndpoint ?? '', 'OTLP', 'http://localhost:4318'));
      return {
        endpoint: publicPart(url),
        open: async () => (await import('./otlp-sender.ts')).openOtlpSender({ url: url.href, timeoutMs }),
      };
    }
    case 'jaeger': {
      const url = parseEndpoint(options.jaegerEndpoint ?? '', 'Jaeger', 'http://localhost:14268/api/traces');
      return {
        endpoint: publicPart(url),
        open: async () => (await import('./jaeger-sender.ts')).openJaegerSender(url.href),
      };
    }
  }
}

function parseEndpoint(text: string, name: string, example: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw refusal(
      'INVALID_SETTING',
      `the ${name} endpoint for spans, "${withoutSecrets(text)}", is no http or https address; write it like ${example}`,
    );
  }
  return url;
}

/** The signal's path below the base, with one slash between them. */
function tracesUrl(base: URL): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/$/, '')}/v1/traces`;
  return url;
}

function publicPart({ origin, pathname }: URL): string {
  return origin + pathname;
}

function withoutSecrets(address: string): string {
  return address.replace(/[^/]*@/, '');
}
