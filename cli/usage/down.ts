import type { Usage } from './usage.ts';

export function addDown({ command, output }: Usage): void {
  command('down', 'stop the shop that `mesh up` started from this folder').action(async () => {
    const { downCommand } = await import('../commands/down.ts');
    await downCommand(output);
  });
}
