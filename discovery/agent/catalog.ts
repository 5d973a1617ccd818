import type { Clock } from '#kit';

import type { AgentState, CheckStatus, ServiceRecord } from './records.ts';
import type { RegistrationRequest } from './registration-request.ts';

/** The registered instances and the state of their checks. */
export interface Catalog {
  register(request: RegistrationRequest): void;
  /** False when there was none with this id. */
  deregister(id: string): boolean;
  get(id: string): ServiceRecord | undefined;
  all(): readonly ServiceRecord[];
  instancesOf(service: string): readonly ServiceRecord[];
  /** The index of the service's latest change; of the latest disappearance of any, when it has no instance. */
  indexOf(service: string): number;
  /** The index of the latest change of any service. */
  latestIndex(): number;
  /** Notes what a check found. */
  report(id: string, checkId: string, status: CheckStatus, output: string): void;
}

/** Works on `state`; calls `changed` after each change that a watcher can see. */
export function createCatalog(state: AgentState, clock: Clock, changed: () => void): Catalog {
  const instancesOf = (service: string): readonly ServiceRecord[] =>
    [...state.services.values()].filter((record) => record.service === service);
  const { touch, indexOf, latestIndex } = trackIndexes(state, instancesOf, changed);

  return {
    register: (request) => {
      state.index += 1;
      const replaced = state.services.get(request.id);
      state.services.set(request.id, toRecord(request, replaced?.createIndex ?? state.index, state.index, clock.now()));
      if (replaced && replaced.service !== request.service) touch(replaced.service);
      touch(request.service);
    },
    deregister: (id) => {
      const record = state.services.get(id);
      if (!record) return false;
      state.index += 1;
      state.services.delete(id);
      touch(record.service);
      return true;
    },
    get: (id) => state.services.get(id),
    all: () => [...state.services.values()],
    instancesOf,
    indexOf,
    latestIndex,
    report: (id, checkId, status, output) => {
      const record = state.services.get(id);
      const check = record?.checks.find(({ definition }) => definition.checkId === checkId);
      if (!record || !check) return;
      check.state.output = output;
      if (check.state.status === status) return;
      state.index += 1;
      check.state.status = status;
      check.state.criticalSince = status === 'critical' ? clock.now() : 0;
      check.state.modifyIndex = state.index;
      touch(record.service);
    },
  };
}

/** Which service changed when. A name is forgotten with its last instance, so that names do not pile up. */
function trackIndexes(state: AgentState, instancesOf: (service: string) => readonly unknown[], changed: () => void) {
  const indexes = new Map([...state.services.values()].map(({ service }) => [service, state.index]));
  let absentIndex = state.index;
  let latestIndex = state.index;
  return {
    touch: (service: string): void => {
      latestIndex = state.index;
      if (instancesOf(service).length > 0) {
        indexes.set(service, state.index);
      } else {
        indexes.delete(service);
        absentIndex = state.index;
      }
      changed();
    },
    indexOf: (service: string): number => indexes.get(service) ?? absentIndex,
    latestIndex: (): number => latestIndex,
  };
}

function toRecord(request: RegistrationRequest, createIndex: number, modifyIndex: number, now: number): ServiceRecord {
  const { checks, ...service } = request;
  return {
    ...service,
    createIndex,
    modifyIndex,
    checks: checks.map(({ status, ...definition }) => ({
      definition,
      state: { status, output: '', criticalSince: status === 'critical' ? now : 0, createIndex: modifyIndex, modifyIndex },
    })),
  };
}
