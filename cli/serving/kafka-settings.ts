import { flag, refusal, text } from '#kit';

/** How Kafka is reached; apart from what uses it, so that every process knows the names. */
export const KAFKA_SETTINGS = {
  KAFKA_BROKERS: text({ default: '', doc: 'Kafka brokers that carry the events, as host:port,host:port; empty: the event log in Postgres' }),
  KAFKA_TLS: flag({ default: false, doc: 'Whether the brokers are spoken to through TLS; an authority of your own goes into NODE_EXTRA_CA_CERTS' }),
  KAFKA_SASL: text({
    default: '',
    secret: true,
    doc: 'Login at the brokers as mechanism:user:password, with SCRAM-SHA-512, SCRAM-SHA-256, or PLAIN (with KAFKA_TLS only); empty: none',
  }),
};

/** A login at Kafka's brokers. */
export interface KafkaLogin {
  readonly mechanism: (typeof MECHANISMS)[number];
  readonly username: string;
  readonly password: string;
}

const MECHANISMS = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'] as const;

/** Reads KAFKA_SASL; undefined where it is empty. INVALID_SETTING, whose sentence repeats nothing of it: it holds a password. */
export function readKafkaLogin(setting: string, isEncrypted: boolean): KafkaLogin | undefined {
  if (setting === '') return undefined;
  // The password may have colons.
  const [, name = '', username = '', password = ''] = /^([^:]+):([^:]+):(.+)$/s.exec(setting) ?? [];
  const mechanism = MECHANISMS.find((each) => each === name.toUpperCase());
  if (!mechanism) throw refusal('INVALID_SETTING', `KAFKA_SASL is no login; write it as mechanism:user:password, where the mechanism is one of ${MECHANISMS.join(', ')}`);
  if (mechanism === 'PLAIN' && !isEncrypted) {
    throw refusal('INVALID_SETTING', 'KAFKA_SASL has a password that PLAIN would send unencrypted; set KAFKA_TLS to true, or use SCRAM-SHA-512');
  }
  return { mechanism, username, password };
}
