import type { Clock } from '#kit';

import type { DoorLimits } from '../../../../mesh/server/door/limits.ts';
import { type DoorSecurity, type OpenDoor, openDoor } from './open-door.ts';

/** Opens the doors of a test, and closes them at its end. `current` is the last one. */
export function useDoors(): { readonly current: OpenDoor; open(limits?: Partial<DoorLimits>, clock?: Clock, security?: DoorSecurity): Promise<OpenDoor> } {
  const doors: OpenDoor[] = [];
  afterEach(() => Promise.all(doors.splice(0).map((door) => door.close())));
  return {
    get current() {
      const last = doors.at(-1);
      if (!last) throw new Error('open a door first');
      return last;
    },
    async open(limits, clock, security) {
      const door = await openDoor(limits, clock, security);
      doors.push(door);
      return door;
    },
  };
}
