import { InvalidArgumentError, Option } from 'commander';

import type { Usage } from './usage.ts';

export function addServe({ command, output }: Usage): void {
  command('serve <service...>', 'run these services in this process; beside a running shop, as further instances of its')
    .option('--port <number>', 'port of the service, when it is only one; 0 takes a free one', readPort)
    .addOption(new Option('--supervised').hideHelp())
    .addHelpText('after', EXAMPLES)
    .action(async (services: string[], { port, supervised }: { port?: string; supervised?: boolean }) => {
      const { serveCommand } = await import('../commands/serve.ts');
      await serveCommand(services, output, { ...(supervised && { supervised }), ...(port !== undefined && { port }) });
    });
}

function readPort(value: string): string {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return value;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}

const EXAMPLES = `
Examples:
  mesh serve inventory           a further instance beside a running shop takes a free port
  mesh serve order payment       two services in one process
Where no shop runs in this folder, the settings say what to stand on: CONSUL_HTTP_ADDR, DATABASE_URL, … (see mesh config).`;
