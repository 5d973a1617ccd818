import { MeshError, systemClock } from '#kit';

import { allChecks, type Diagnosis, lookAround, runChecks, type Surroundings } from '../doctor/index.ts';
import { askSupervisor } from '../local/control-socket.ts';
import { dataFolder } from '../local/data-folder.ts';
import { type Output, table } from '../output.ts';
import { loadSettings } from '../settings.ts';
import { settingsOfRunningShop } from './running-shop.ts';

/** Servers answer within milliseconds; loading every service's code takes a second or two. */
const CHECK_MS = 10_000;

/** `mesh doctor`: looks for what goes wrong most often around a shop. Resolves with the exit code: 1 when something fails. */
export async function doctorCommand(output: Output): Promise<number> {
  const found = await runChecks(allChecks(process.versions.node), await lookAround(await surroundings(), systemClock), CHECK_MS);
  const isWell = found.every(({ level }) => level !== 'fail');
  output.answer(() => forPeople(found), { ok: isWell, findings: found });
  return isWell ? 0 : 1;
}

async function surroundings(): Promise<Surroundings> {
  const given = await loadSettings();
  try {
    const { settings, supervisor } = await settingsOfRunningShop();
    return { given, completed: settings, supervisor };
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'NOT_RUNNING') throw thrown;
    return { given, completed: undefined, supervisor: await askSupervisor(dataFolder(given.values.MESH_DATA_DIR).controlSocket) };
  }
}

function forPeople(found: readonly Diagnosis[]): string {
  const count = (level: Diagnosis['level']): number => found.filter((diagnosis) => diagnosis.level === level).length;
  const [fails, warnings] = [count('fail'), count('warn')];
  const summary = fails + warnings === 0 ? 'all is well' : `${fails} to mend, ${warnings} to look at`;
  return `${table(found.map((diagnosis) => [diagnosis.level.toUpperCase(), diagnosis.check, inWords(diagnosis)]))}\n\n${summary}`;
}

function inWords(diagnosis: Diagnosis): string {
  return 'advice' in diagnosis && diagnosis.advice ? `${diagnosis.says}; ${diagnosis.advice}` : diagnosis.says;
}
