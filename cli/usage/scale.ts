import type { Usage } from './usage.ts';

export function addScale({ command, output }: Usage): void {
  command('scale <service...>', 'run so many instances of a service, in the shop that `mesh up` started from this folder')
    .option('--allow-none', 'let 0 stop the last instance, for a test of its absence')
    .addHelpText('after', EXAMPLES)
    .action(async (words: string[], options: { allowNone?: boolean }) => {
      const { scaleCommand } = await import('../commands/scale.ts');
      await scaleCommand(words, options, output);
    });
}

const EXAMPLES = `
Examples:
  mesh scale inventory 3             the first keeps its port, the others take free ones
  mesh scale inventory=3 order=2     several at once
  mesh scale inventory 1             the others end their calls and stop, the last one first
Returns when every instance serves. One that cannot be started is given up after five tries;
the same command tries it again. Instances that \`mesh serve\` runs are not counted.`;
