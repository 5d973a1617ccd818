import { Option } from 'commander';

import type { Usage } from './usage.ts';

export function addUp({ command, output, finish }: Usage): void {
  command('up', 'start the shop and whatever it stands on; Ctrl-C stops it')
    .addOption(new Option('--topology <name>', 'one process for each service, or one for all').choices(['micro', 'monolith']))
    .option('--detach', 'return when everything is ready and leave it running')
    .option('--demo', 'write demo data where they are missing and place a sample order')
    .addOption(new Option('--detached').hideHelp())
    .addHelpText('after', EXAMPLES)
    .action(async (options: { topology?: string; detach?: boolean; demo?: boolean; detached?: boolean }) => {
      const { upCommand } = await import('../commands/up.ts');
      finish(await upCommand({ ...options, flags: { MESH_TOPOLOGY: options.topology } }, output));
    });
}

const EXAMPLES = `
Examples:
  mesh up                        one process for each service
  mesh up --topology monolith    one process for all of them
  mesh up --detach && mesh ps    leave it running, and look at it`;
