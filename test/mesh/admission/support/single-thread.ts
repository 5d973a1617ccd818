import type { LoopTurn } from '../../../../mesh/server/admission/loop-turn.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A process with one thread: what comes while it computes stands in its socket, and the next turn of its loop reads all of it. */
export interface SingleThread {
  readonly turn: LoopTurn;
  receive(call: () => void): void;
}

export function createSingleThread({ clock, after }: VirtualTime): SingleThread {
  const socket: (() => void)[] = [];
  let turning = false;
  let startedMs = 0;

  function startTurn(): void {
    turning = socket.length > 0;
    startedMs = clock.now();
    if (turning) serve(socket.splice(0));
  }

  /** One after another, with what the promises of each have to do in between. */
  function serve([call, ...others]: (() => void)[]): void {
    call?.();
    after(0, () => (others.length > 0 ? serve(others) : startTurn()));
  }

  return {
    turn: { ageMs: (nowMs) => nowMs - startedMs },
    receive(call) {
      socket.push(call);
      if (turning) return;
      turning = true;
      after(0, startTurn);
    },
  };
}
