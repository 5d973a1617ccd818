export type { KafkaConnection } from './connection.ts';
export { createKafkaBus, type KafkaBusOptions } from './kafka-bus.ts';
