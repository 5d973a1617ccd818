import type { Usage } from './usage.ts';

export function addPs({ command, output }: Usage): void {
  command('ps', 'list every registered instance and its health').action(async () => {
    const { psCommand } = await import('../commands/ps.ts');
    await psCommand(output);
  });
}
