import type { Policy, PolicyListener, PolicyStore } from '#discovery';
import { refusal } from '#kit';

/** The watching side of a control plane that a test speaks for. */
export interface FakeStore extends Pick<PolicyStore, 'watch'> {
  /** Everything that is stored now: JSON by key, or text as it is. */
  say(documents: Readonly<Record<string, object | string>>): void;
  /** Nobody can be asked. */
  fail(): void;
  watchers(): readonly string[];
}

export function createFakeStore(): FakeStore {
  const listeners = new Map<PolicyListener, string>();
  let index = 0;
  return {
    watch(prefix, listener) {
      listeners.set(listener, prefix);
      return { stop: async () => void listeners.delete(listener) };
    },
    say(documents) {
      index += 1;
      const policies = Object.entries(documents).map(([key, value]): Policy => ({ key, index, value: typeof value === 'string' ? value : JSON.stringify(value) }));
      for (const [listener, prefix] of listeners) listener.onPolicies(policies.filter(({ key }) => key.startsWith(prefix)));
    },
    fail() {
      for (const listener of listeners.keys()) listener.onError(refusal('CONTROL_PLANE_UNAVAILABLE', 'nobody answers'));
    },
    watchers: () => [...listeners.values()],
  };
}
