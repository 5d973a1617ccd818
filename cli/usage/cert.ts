import { InvalidArgumentError } from 'commander';

import { parseDurationMs } from '#kit';

import type { Usage } from './usage.ts';

export function addCert({ command, output, warn }: Usage): void {
  command('cert [service]', 'write a short-lived client certificate, for grpcurl and other gRPC clients; default: for explorer')
    .option('--out <dir>', 'folder for certificate, key and roots; default: certificates in MESH_DATA_DIR')
    .option('--ttl <time>', 'how long it is to hold, from 1m on; Consul gives it the lifetime of its other certificates', readTtl, 3_600_000)
    .addHelpText('after', EXAMPLES)
    .action(async (service: string | undefined, options: { out?: string; ttl: number }) => {
      const { certCommand } = await import('../commands/cert.ts');
      await certCommand(service ?? 'explorer', { out: options.out, ttlMs: options.ttl }, { output, warn });
    });
}

function readTtl(text: string): number {
  try {
    const ms = parseDurationMs(text);
    if (ms >= 60_000) return ms;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('It is a time span of a minute or more, such as 10m or 1h.');
}

const EXAMPLES = `
Examples:
  mesh cert                           as explorer, for one hour
  mesh cert order --out /tmp/order    as the service order, which intentions know
  mesh cert --ttl 10m
Whoever has the key is that service until the certificate ends: nothing takes it back before.`;
