import { createLog } from '#kit';
import { loadModule, MODULE_NAMES } from '#modules';

import { settingsOfRunningShop } from './running-shop.ts';
import type { Output } from '../output.ts';
import { migrateService } from '../serving/service-database.ts';

/** `mesh migrate`: brings every service's tables up to date in the databases that the settings name, or those of the shop that runs here. */
export async function migrateCommand(output: Output): Promise<void> {
  const { settings } = await settingsOfRunningShop();
  const log = createLog({ level: 'warn' });
  const applied: Record<string, string[]> = {};
  for (const name of MODULE_NAMES) {
    applied[name] = await migrateService(name, await loadModule(name), settings, log);
    output.note(`${name}: ${applied[name].length ? applied[name].join(', ') : 'up to date'}`);
  }
  if (output.json) output.answer(() => '', applied);
}
