import { MeshError, systemClock } from '#kit';

import { allChecks, type Diagnosis, lookAround, runChecks, type Scene, type Surroundings } from '../doctor/index.ts';
import { askSupervisor } from '../local/control-socket.ts';
import { dataFolder } from '../local/data-folder.ts';
import { type Output, table } from '../output.ts';
import { START_A_SHOP } from '../serving/known-shop.ts';
import { loadSettings } from '../settings.ts';
import { settingsOfRunningShop } from './running-shop.ts';

/** Servers answer within milliseconds; loading every service's code takes a second or two. */
const CHECK_MS = 10_000;

/**
 * `mesh doctor`: looks for what goes wrong most often around a shop. Resolves with the exit code: 1 when something fails.
 * That no shop runs is no failure, for one looks before one starts it; but it is not said that all is well.
 */
export async function doctorCommand(output: Output): Promise<number> {
  const scene = await lookAround(await surroundings(), systemClock);
  const found = await runChecks(allChecks(process.versions.node), scene, CHECK_MS);
  const isWell = found.every(({ level }) => level !== 'fail');
  output.answer(() => forPeople(found, scene), { ok: isWell, findings: found });
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

function forPeople(found: readonly Diagnosis[], scene: Scene): string {
  return `${table(found.map((diagnosis) => [diagnosis.level.toUpperCase(), diagnosis.check, inWords(diagnosis)]))}\n\n${summaryOf(found, scene)}`;
}

function summaryOf(found: readonly Diagnosis[], scene: Scene): string {
  const count = (level: Diagnosis['level']): number => found.filter((diagnosis) => diagnosis.level === level).length;
  const [fails, warnings] = [count('fail'), count('warn')];
  if (fails + warnings > 0) return `${fails} to mend, ${warnings} to look at`;
  const why = whyUnseen(scene);
  return why === undefined ? 'all is well' : `${why}; what can be looked at without it is well`;
}

/** Why there is no shop to look at; undefined where there is one. */
function whyUnseen({ registry, supervisor }: Scene): string | undefined {
  if (registry.kind === 'none') return registry.why;
  return registry.kind === 'seen' && registry.instances.length === 0 && !supervisor ? `no shop is registered; ${START_A_SHOP}` : undefined;
}

function inWords(diagnosis: Diagnosis): string {
  return 'advice' in diagnosis && diagnosis.advice ? `${diagnosis.says}; ${diagnosis.advice}` : diagnosis.says;
}
