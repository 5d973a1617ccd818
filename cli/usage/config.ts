import type { Usage } from './usage.ts';

export function addConfig({ command, output }: Usage): void {
  command('config', 'show every setting, its value here and where that comes from').action(async () => {
    const { configCommand } = await import('../commands/config.ts');
    await configCommand(output);
  });
}
