import { refusal } from '#kit';

import type { Resolved } from '../settings.ts';
import { type KafkaLogin, readKafkaLogin } from './kafka-settings.ts';

/** Where a shop's events are. */
export type EventPlace =
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly isEncrypted: boolean; readonly login: KafkaLogin | undefined }
  /** The log in this Postgres. */
  | { readonly kind: 'postgres'; readonly url: string };

type Given = Pick<Resolved['values'], 'MESH_EVENTS_URL' | 'KAFKA_BROKERS' | 'KAFKA_TLS' | 'KAFKA_SASL' | 'DATABASE_URL'>;

/** Undefined where nobody has said it. INVALID_SETTING for brokers that are none, and a login that is none. */
export function eventPlace(values: Given): EventPlace | undefined {
  const { KAFKA_BROKERS: brokers, KAFKA_TLS: isEncrypted, KAFKA_SASL: login } = values;
  if (brokers !== '') return { kind: 'kafka', brokers: brokers.split(',').map(readBroker), isEncrypted, login: readKafkaLogin(login, isEncrypted) };
  const url = eventLogUrl(values);
  return url === '' ? undefined : { kind: 'postgres', url };
}

/** Of the event log in Postgres, which is not used where Kafka is; empty where nobody has said it. */
export function eventLogUrl({ MESH_EVENTS_URL: own, DATABASE_URL: shared }: Pick<Given, 'MESH_EVENTS_URL' | 'DATABASE_URL'>): string {
  return own || shared;
}

/** The event log as the role that owns its tables; the same where one role does everything. */
export function eventLogOwnerUrl(values: Pick<Resolved['values'], 'MESH_EVENTS_URL' | 'MESH_EVENTS_OWNER_URL' | 'DATABASE_URL' | 'DATABASE_OWNER_URL'>): string {
  const { MESH_EVENTS_URL: own, MESH_EVENTS_OWNER_URL: ownersOwn, DATABASE_OWNER_URL: sharedOwner } = values;
  return (own === '' ? sharedOwner : ownersOwn) || eventLogUrl(values);
}

/** {@link eventPlace} for operators, who look at the log as its owner. */
export function operatorsEventPlace(values: Resolved['values']): EventPlace | undefined {
  const place = eventPlace(values);
  return place?.kind === 'postgres' ? { ...place, url: eventLogOwnerUrl(values) } : place;
}

function readBroker(text: string): string {
  const broker = text.trim();
  const [, port = ''] = /^[^\s/:]+:(\d{1,5})$|^\[[0-9a-f:.]+\]:(\d{1,5})$/i.exec(broker)?.filter((part) => part !== undefined) ?? [];
  if (Number(port) >= 1 && Number(port) <= 65_535) return broker;
  throw refusal('INVALID_SETTING', `KAFKA_BROKERS has "${broker}", which is no broker; write them as host:port,host:port`);
}
