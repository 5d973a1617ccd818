import type { Usage } from './usage.ts';

export function addNew({ command, output }: Usage): void {
  command('new', 'write a new part of the shop after the model of one that is there')
    .addHelpText('after', EXAMPLES)
    .command('service <name>')
    .description('write a service: contract, code, tables, test, and its place in every list of services')
    .option('--plural <word>', 'what several of them are called, where adding an s is wrong')
    .option('--dry-run', 'show what would be written, and write nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: { plural?: string; dryRun?: boolean }) => {
      const { newServiceCommand } = await import('../commands/new.ts');
      await newServiceCommand(name, options, output);
    });
}

const EXAMPLES = `
Examples:
  mesh new service review               a service with Create, Get and List, ready to run
  mesh new service review --dry-run     the files only
  mesh new service person --plural people
The name is one word of lower-case letters. Run it in a clone of the repository.`;
