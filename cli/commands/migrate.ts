import { EVENT_LOG_SCHEMA } from '#events';
import { createLog, type Log } from '#kit';
import { loadModule, MODULE_NAMES } from '#modules';

import { settingsOfRunningShop } from './running-shop.ts';
import type { Output } from '../output.ts';
import { eventLogTables } from '../serving/event-bus.ts';
import { eventLogOwnerUrl, eventPlace } from '../serving/event-place.ts';
import { migrateService } from '../serving/service-database.ts';
import { migrateTables } from '../serving/tables.ts';
import type { Resolved } from '../settings.ts';

/**
 * `mesh migrate`: brings every service's tables, and those of the event log, up to date in the databases that the settings name,
 * or those of the shop that runs here. Where their owner is another role than the one that works on them, that one is made where
 * it is missing, gets the password that its URL has, and is let in: also where there is nothing to bring up to date.
 */
export async function migrateCommand(output: Output): Promise<void> {
  const { settings } = await settingsOfRunningShop();
  const log = createLog({ level: 'warn' });
  const applied: Record<string, string[]> = {};
  const tell = (name: string, files: string[]): void => {
    applied[name] = files;
    output.note(`${name}: ${files.length ? files.join(', ') : 'up to date'}`);
  };
  for (const name of MODULE_NAMES) tell(name, await migrateService(name, await loadModule(name), settings, log));
  const ofEvents = await migrateEventLog(settings, log);
  if (ofEvents) tell(EVENT_LOG_SCHEMA, ofEvents);
  if (output.json) output.answer(() => '', applied);
}

/** Undefined where there is none: events are in Kafka, or nobody has said where. */
async function migrateEventLog({ values }: Resolved, log: Log): Promise<string[] | undefined> {
  const place = eventPlace(values);
  return place?.kind === 'postgres' ? migrateTables(eventLogTables(place.url, eventLogOwnerUrl(values)), log) : undefined;
}
