import type { IntentionAction, IntentionStore } from '#discovery';
import { type Clock, createAlarm, type Log, type Stoppable } from '#kit';

/** How often what Consul says is read again. */
const READ_AGAIN_MS = 60_000;
/** The same while it cannot be read; and while it was never read, for calls wait for it. */
const RETRY_MS = 2_000;
const FIRST_RETRY_MS = 250;

/** `consul`: as the control plane has it. */
export type DefaultActionSetting = 'consul' | IntentionAction;

/** What holds where no intention decides. */
export interface DefaultAction extends Stoppable {
  /** Undefined until the control plane has said it for the first time; then what it said last. */
  readonly current: IntentionAction | undefined;
  /** The control plane cannot be reached: it may come back with another configuration, so it is read as soon as it is back. */
  suspect(): void;
}

export interface DefaultActionOptions {
  readonly setting: DefaultActionSetting;
  readonly store: Pick<IntentionStore, 'defaultAction'>;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export function createDefaultAction(options: DefaultActionOptions): DefaultAction {
  const { setting } = options;
  if (setting === 'consul') return followControlPlane(options);
  return { current: setting, suspect() {}, stop: async () => undefined };
}

/** It has no watch: it is read once a minute, and behind an outage. */
function followControlPlane({ store, onChange, clock, log }: DefaultActionOptions): DefaultAction {
  const ending = new AbortController();
  const { signal } = ending;
  const alarm = createAlarm(clock);
  let current: IntentionAction | undefined;
  let isSuspect = false;
  let isSilent = false;

  function learn(said: IntentionAction | undefined): void {
    if (said === undefined && !isSilent) {
      log.warn('Consul does not tell this token what holds where no intention decides; taken for deny. Give the token agent:read, or set MESH_INTENTIONS_DEFAULT');
    }
    isSilent = said === undefined;
    const before = current;
    current = said ?? 'deny';
    if (current !== before) onChange();
  }

  function pauseMs(): number {
    if (!isSuspect) return READ_AGAIN_MS;
    return current === undefined ? FIRST_RETRY_MS : RETRY_MS;
  }

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      isSuspect = false;
      try {
        const said = await store.defaultAction(signal);
        if (!signal.aborted) learn(said);
      } catch {
        // What was read last holds. The watches on intentions have the same server, and what they cannot reach is logged there.
        isSuspect = true;
      }
      await alarm.sleep(pauseMs(), signal).catch(() => {});
    }
  }

  const following = follow();
  return {
    get current() {
      return current;
    },
    suspect() {
      if (isSuspect) return;
      isSuspect = true;
      alarm.ring();
    },
    async stop() {
      ending.abort();
      await following;
    },
  };
}
