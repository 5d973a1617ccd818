import type { Usage } from './usage.ts';

export function addMigrate({ command, output }: Usage): void {
  command('migrate', 'bring the tables of every service up to date').action(async () => {
    const { migrateCommand } = await import('../commands/migrate.ts');
    await migrateCommand(output);
  });
}
