import { duration } from '#kit';

export const orderSettings = {
  MESH_SAGA_LEASE: duration({ default: 5_000, doc: 'How long an order stays with an instance that died before another one takes it over' }),
  MESH_SAGA_KEEP: duration({ default: 30 * 24 * 3_600_000, doc: 'How long a saga that is over can still be shown' }),
};
