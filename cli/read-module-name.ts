import { refusal } from '#kit';
import { isModuleName, MODULE_NAMES, type ModuleName } from '#modules';

import { closestName } from './did-you-mean.ts';

/** A service as somebody has written it. UNKNOWN_SERVICE, with a guess, for one that there is not. */
export function readModuleName(name: string): ModuleName {
  if (isModuleName(name)) return name;
  const meant = closestName(name, MODULE_NAMES);
  throw refusal('UNKNOWN_SERVICE', `there is no service ${name}${meant ? `; did you mean ${meant}?` : ''} (the services are ${MODULE_NAMES.join(', ')})`);
}
