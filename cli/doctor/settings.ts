import { type Check, ok, orElse } from './check.ts';
import { copiedKeys } from './copied-keys.ts';
import { idleSettings } from './idle-settings.ts';

/** Settings that are given here and do not do what they are there for. */
export const settings: Check = {
  name: 'settings',
  run: async (scene) => orElse([...idleSettings(scene), ...copiedKeys(scene)], ok('every setting that is given here has an effect')),
};
