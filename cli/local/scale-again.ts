import type { ModuleName } from '#modules';

/** The command that lets a process be tried again that was given up: to as many instances of its service as there are. */
export function scaleAgain([service]: readonly ModuleName[], countOf: (service: ModuleName) => number): string {
  return `npx mesh scale ${service === undefined ? '' : `${service} ${countOf(service)}`}`.trimEnd();
}
